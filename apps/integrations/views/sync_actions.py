"""What admins do to a sync: cancel, pause, go on, try again. Nothing here waits for GitHub or for a worker."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.queries.cards import tracked_rows
from apps.integrations.services.github_sync import is_covered
from apps.integrations.services.repositories import request_sync
from apps.integrations.services.sync_control import cancel_sync, fetch_again, pause_sync, resume_sync
from apps.integrations.tasks import after_commit, give_turns_task, sync_repository_task
from apps.integrations.views.actor import actor_of
from apps.integrations.views.repositories import answer_with_card
from apps.teams.access import team_admin
from apps.teams.models import Team


@require_POST
@team_admin
def sync_run_cancel(request: HttpRequest, team: Team, run_id: int) -> HttpResponse:
    """End a sync that goes on. What it stored stays."""
    run = _run(run_id)
    if cancel_sync(run=run, actor=actor_of(request)):
        after_commit(give_turns_task, team.pk, run.tracked_repository.integration_id)  # its place is another's now
    return _answer(request, team, run.tracked_repository, run)


@require_POST
@team_admin
def sync_run_retry(request: HttpRequest, team: Team, run_id: int) -> HttpResponse:
    """Sync the repository of a run again; with `only=partial` just the pull requests that the run left partial, unless
    the repository is not covered yet.
    """
    run = _run(run_id)
    tracked = run.tracked_repository
    if request.POST.get("only") == "partial" and is_covered(tracked):
        begun = fetch_again(run=run, actor=actor_of(request))
        if begun is not None:
            after_commit(give_turns_task, team.pk, tracked.integration_id)
            return redirect("integrations:sync_run", team.slug, begun.pk)
        messages.info(request, "Nothing to try again: they are complete by now, or a sync goes on.")
    elif request_sync(tracked=tracked, actor=actor_of(request)):
        after_commit(sync_repository_task, team.pk, tracked.pk)
        messages.success(request, f"{tracked.repository.full_name} is synced again: it begins within seconds.")
    elif not tracked.is_active:
        messages.info(request, "The repository is not tracked any more: switch it on to sync it.")
    else:
        messages.info(request, "A sync of it goes on or waits already.")
    return redirect("integrations:sync_run", team.slug, run.pk)


@require_POST
@team_admin
def github_repo_pause(request: HttpRequest, team: Team, repo_id: int) -> HttpResponse:
    """Hold the sync that goes on, until somebody lets it go on."""
    tracked = _tracked(repo_id)
    if pause_sync(tracked=tracked, actor=actor_of(request)):
        after_commit(give_turns_task, team.pk, tracked.integration_id)
    return _answer(request, team, tracked, _latest(tracked))


@require_POST
@team_admin
def github_repo_resume(request: HttpRequest, team: Team, repo_id: int) -> HttpResponse:
    """Go on with the sync that is paused, where it stopped."""
    tracked = _tracked(repo_id)
    if resume_sync(tracked=tracked, actor=actor_of(request)):
        after_commit(give_turns_task, team.pk, tracked.integration_id)
    return _answer(request, team, tracked, _latest(tracked))


def _run(run_id: int) -> SyncRun:
    rows = SyncRun.objects.select_related(
        "team", "tracked_repository__team", "tracked_repository__repository", "tracked_repository__integration"
    )
    run: SyncRun = get_object_or_404(rows, pk=run_id)
    return run


def _tracked(repo_id: int) -> TrackedRepository:
    rows = tracked_rows().select_related("team").filter(is_active=True)
    return get_object_or_404(rows, repository__github_repo_id=repo_id)


def _latest(tracked: TrackedRepository) -> SyncRun | None:
    latest: SyncRun | None = SyncRun.objects.filter(tracked_repository=tracked).order_by("-pk").first()
    return latest


def _answer(request: HttpRequest, team: Team, tracked: TrackedRepository, run: SyncRun | None) -> HttpResponse:
    """The card in its place for a card's button; the page of the run for the run's own."""
    if request.headers.get("HX-Request") == "true":
        return answer_with_card(request, team, tracked)
    if request.POST.get("back") == "run" and run is not None:
        return redirect("integrations:sync_run", team.slug, run.pk)
    return redirect("integrations:repositories", team.slug)
