"""The Repositories page and what can be done on it. Nothing here waits for GitHub: work is noted, then enqueued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.common.live import knows, marked, nothing_new, version_at
from apps.integrations.models import AvailableRepository, GitHubIntegration, TrackedRepository
from apps.integrations.queries.cards import cards_of, tracked_rows
from apps.integrations.queries.live import repositories_version
from apps.integrations.queries.repositories import Connection, Filters, connections, quick_counts, repositories_page
from apps.integrations.services.depth import InvalidDepth, depth_label, depth_value, parse_depth
from apps.integrations.services.github_rate_limit import FLOOR, Budget, budget_of
from apps.integrations.services.repositories import (
    request_hook,
    request_sync,
    set_depth,
    track_repository,
    untrack_repository,
)
from apps.integrations.tasks import (
    after_commit,
    register_webhook_task,
    remove_webhook_task,
    sync_repository_initial_task,
    sync_repository_task,
)
from apps.integrations.views.actor import actor_of
from apps.metrics.queries.trust import trust_of_team
from apps.teams.access import team_admin, team_member
from apps.teams.models import Team

PAGE = "integrations/repositories.html"
CHANGED = "integrations/partials/changed.html"
PROGRESS = "integrations/partials/sync_progress.html"
SETTLED = "integrations/partials/settled.html"
DEPTHS = tuple((depth_value(depth), depth_label(depth)) for depth in TrackedRepository.DEPTHS)
LIVE = "repositories"
"""The element that follows what is stored while the page is open."""

A_PAGE = 10
"""Points that a page of pull requests may cost: a sync that has no more above the floor waits."""
PARTIALS = {"repositories": "page", "repository-list": "list"}
"""The fragment of the page by the id of the element that HTMX wants to replace."""


@dataclass(frozen=True, slots=True)
class ConnectionLine:
    connection: Connection
    budget: Budget | None

    @property
    def used(self) -> int:
        return self.budget.limit - self.budget.remaining if self.budget else 0

    @property
    def is_used_up(self) -> bool:
        """Whether syncs wait for the next hour: what is left then is for events."""
        return self.budget is not None and self.budget.remaining < min(FLOOR, self.budget.limit // 10) + A_PAGE


@require_safe
@team_member
def repositories(request: HttpRequest, team: Team) -> HttpResponse:
    version = version_at(repositories_version(), timezone.now())  # before the page, which may be newer, never older
    if knows(request, LIVE, version):
        return nothing_new()
    response = _page(request, team, Filters.of(request.GET), _target(request), version)
    return marked(response, request, LIVE, version)


@require_safe
@team_member
def discovery_progress(request: HttpRequest, team: Team) -> HttpResponse:
    """How the listing of repositories is going; asked for every two seconds while it goes."""
    found = connections()
    is_discovering = any(connection.is_discovering for connection in found)
    context = {"lines": _lines(found), "is_discovering": is_discovering}
    response = render(request, f"{PAGE}#discovery", context)
    if not is_discovering:
        response["HX-Trigger"] = "repositories-listed"
    return response


@require_POST
@team_admin
def github_repo_toggle(request: HttpRequest, team: Team, repo_id: int) -> HttpResponse:
    """Follow a repository, or no longer. `days`: how far back; `track` 1 or 0 says which way, else it is turned."""
    tracked = tracked_rows().filter(repository__github_repo_id=repo_id).first()
    wanted = request.POST.get("track", "0" if tracked is not None and tracked.is_active else "1") == "1"
    if wanted:
        try:
            days_back = parse_depth(request.POST.get("days", "30"))
        except InvalidDepth as error:
            return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
        tracked = _track(request, repo_id, tracked, days_back)
        if tracked is None:
            return HttpResponse("GitHub is disconnected: connect it first.", status=409, content_type="text/plain")
    elif tracked is None:
        raise Http404
    else:
        tracked = untrack_repository(tracked=tracked, actor=actor_of(request))
        if tracked.webhook_id is not None:
            after_commit(remove_webhook_task, team.pk, tracked.pk)
    return answer_with_card(request, team, tracked)


def _track(
    request: HttpRequest, repo_id: int, known: TrackedRepository | None, days_back: int | None
) -> TrackedRepository | None:
    """None: the connection that sees it does not work."""
    available = _available(repo_id, known)
    integration = available.integration
    if integration.sync_status != GitHubIntegration.SyncStatus.CONNECTED:
        return None
    tracked = track_repository(
        integration=integration, available=available, days_back=days_back, actor=actor_of(request)
    )
    if tracked.sync_status == TrackedRepository.SyncStatus.PENDING:
        after_commit(sync_repository_initial_task, tracked.team_id, tracked.pk, days_back)
    if tracked.webhook_status == TrackedRepository.WebhookStatus.PENDING:
        after_commit(register_webhook_task, tracked.team_id, tracked.pk)
    return tracked


def _available(repo_id: int, known: TrackedRepository | None) -> AvailableRepository:
    """What the toggle is about: seen by a working connection if there is one, else followed before. 404 otherwise."""
    seen = AvailableRepository.objects.select_related("integration__team").filter(github_repo_id=repo_id)
    available: AvailableRepository | None = seen.order_by("integration__sync_status", "pk").first()  # "connected" first
    if available is not None:
        return available
    if known is None:
        raise Http404
    repository = known.repository
    return AvailableRepository(integration=known.integration, github_repo_id=repo_id, full_name=repository.full_name)


@require_POST
@team_admin
def github_repo_sync(request: HttpRequest, team: Team, repo_id: int) -> HttpResponse:
    """Sync now."""
    tracked = _tracked(repo_id)
    if request_sync(tracked=tracked, actor=actor_of(request)):
        after_commit(sync_repository_task, team.pk, tracked.pk)
    return answer_with_card(request, team, tracked)


@require_POST
@team_admin
def sync_all(request: HttpRequest, team: Team) -> HttpResponse:
    asked = 0
    active = tracked_rows().filter(is_active=True, integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED)
    for tracked in active:
        if request_sync(tracked=tracked, actor=actor_of(request)):
            after_commit(sync_repository_task, team.pk, tracked.pk)
            asked += 1
    messages.success(request, f"{asked} to sync." if asked else "Everything is being synced already.")
    return redirect("integrations:repositories", team.slug)


@require_POST
@team_admin
def github_repo_depth(request: HttpRequest, team: Team, repo_id: int) -> HttpResponse:
    """How far back. Less far keeps what is stored."""
    tracked = _tracked(repo_id)
    try:
        days_back = parse_depth(request.POST.get("days", ""))
    except InvalidDepth as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    if set_depth(tracked=tracked, days_back=days_back, actor=actor_of(request)):
        after_commit(sync_repository_initial_task, team.pk, tracked.pk, days_back)
    return answer_with_card(request, team, tracked)


@require_POST
@team_admin
def github_repo_webhook(request: HttpRequest, team: Team, repo_id: int) -> HttpResponse:
    """Try again to register the webhook."""
    tracked = _tracked(repo_id)
    if request_hook(tracked=tracked):
        after_commit(register_webhook_task, team.pk, tracked.pk)
    return answer_with_card(request, team, tracked)


@require_safe
@team_member
def github_repo_sync_progress(request: HttpRequest, team: Team, repo_id: int) -> HttpResponse:
    """The part of a card that changes by itself; asked for every two seconds, and only while something goes on. The
    answers after a sync bring the counts beside it.
    """
    card = cards_of([_tracked(repo_id, is_active=None)])[0]
    if card.is_moving:
        return render(request, PROGRESS, {"card": card})
    return render(request, SETTLED, {"card": card, **_counted(request)})


def _tracked(repo_id: int, *, is_active: bool | None = True) -> TrackedRepository:
    rows = tracked_rows() if is_active is None else tracked_rows().filter(is_active=is_active)
    return get_object_or_404(rows, repository__github_repo_id=repo_id)


def answer_with_card(request: HttpRequest, team: Team, tracked: TrackedRepository) -> HttpResponse:
    """The card and the counts beside it for HTMX; the page anew where there is no HTMX."""
    if request.headers.get("HX-Request") != "true":
        return redirect("integrations:repositories", team.slug)
    context = {
        "card": cards_of([tracked_rows().get(pk=tracked.pk)])[0],
        "depths": DEPTHS,
        "is_in_place": not _target(request).startswith("row-"),
        **_counted(request),
    }
    return render(request, CHANGED, context)


def _counted(request: HttpRequest) -> dict[str, Any]:
    """What the counts beside a changed card need."""
    return {"counts": quick_counts(), "filters": Filters.of(_current_query(request)), "is_besides": True}


def _page(request: HttpRequest, team: Team, filters: Filters, target: str, version: str) -> HttpResponse:
    page = repositories_page(filters)
    base = reverse("integrations:repositories", args=[team.slug])
    shown = page.card_page or page.rows
    context = {
        "page": page,
        "version": version,
        "is_fragment": target == LIVE,
        "demo": trust_of_team().repositories if team.is_demo and not page.connections else (),
        "counts": page.counts,
        "filters": filters,
        "depths": DEPTHS,
        "lines": _lines(page.connections),
        "is_discovering": page.is_discovering,
        "list_url": _url(base, filters, filters.page),
        "previous_url": _url(base, filters, shown.previous_page_number()) if shown and shown.has_previous() else "",
        "next_url": _url(base, filters, shown.next_page_number()) if shown and shown.has_next() else "",
    }
    partial = PARTIALS.get(target)
    return render(request, f"{PAGE}#{partial}" if partial else PAGE, context)


def _url(base: str, filters: Filters, page: int | str) -> str:
    query = {"show": filters.show, "q": filters.search, "page": str(page)}
    return f"{base}?{urlencode({name: value for name, value in query.items() if value})}"


def _lines(found: Sequence[Connection]) -> list[ConnectionLine]:
    """Each connection with what is left of its hour, as far as that is known."""
    return [
        ConnectionLine(
            connection,
            budget_of(connection.credential.github_user_id)
            if connection.credential is not None and connection.is_connected
            else None,
        )
        for connection in found
    ]


def _target(request: HttpRequest) -> str:
    return request.headers.get("HX-Target", "") if request.headers.get("HX-Request") == "true" else ""


def _current_query(request: HttpRequest) -> QueryDict:
    """The query string of the page that the browser shows."""
    return QueryDict(urlsplit(request.headers.get("HX-Current-URL", "")).query)
