"""E-mails to a team's admins: a sync is complete, or needs them. Sent once a run (a crash between sending and noting it
may repeat one, which is better than none).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.models.sync_run import UNWRITTEN
from apps.integrations.queries.tried_again import tried_again_at
from apps.metrics.queries.completeness import completeness_in_words, unread_of
from apps.teams.models import Membership, Team
from apps.teams.scope import team_scope

Connection = GitHubIntegration.SyncStatus

EXAMPLES = 20
"""Partial pull requests that an e-mail names."""


@dataclass(frozen=True, slots=True)
class SyncStats:
    """What a finished run brought. `seconds` from its begin to its end; `partial` reasons by pull request number."""

    pull_requests: int
    reviews: int
    commits: int
    files: int
    comments: int
    check_runs: int
    deployments: int
    seconds: int
    points: int
    partial: dict[str, dict[str, str]]
    covered_from: datetime | None
    is_full_history: bool


def notify_about(*, team_id: int, run_id: int) -> bool:
    """Write to the admins about a run's end, unless that was done. Incremental runs that went well are no news."""
    with team_scope(team_id):
        run = SyncRun.objects.select_related("tracked_repository__repository", "tracked_repository__integration").get(
            pk=run_id
        )
    Status = SyncRun.Status
    if run.notified_at is not None or run.status not in {Status.COMPLETE, Status.PARTIAL, Status.ERROR}:
        return False
    if run.status == Status.ERROR:
        _send_needs_attention(run)
    elif run.kind in {SyncRun.Kind.INITIAL, SyncRun.Kind.MANUAL}:
        send_sync_complete_notification(run.tracked_repository, stats_of(run))
    with team_scope(team_id):
        SyncRun.objects.filter(pk=run_id).update(notified_at=timezone.now())
    return True


def unwritten(team_id: int) -> list[int]:
    """Runs that ended minutes ago without a word to the admins: their task was lost. Served by sync_run_unwritten."""
    with team_scope(team_id):
        ended = SyncRun.objects.filter(UNWRITTEN, finished_at__lt=timezone.now() - timedelta(minutes=5))
        return list(ended.order_by("pk").values_list("pk", flat=True))


def stats_of(run: SyncRun) -> SyncStats:
    """A finished run's figures."""
    repository = run.tracked_repository.repository
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else 0
    return SyncStats(
        **{name: run.counts.get(name, 0) for name in SyncStats.__dataclass_fields__ if name in _COUNTED},
        seconds=round(seconds),
        points=run.points,
        partial=run.partial,
        covered_from=repository.covered_from,
        is_full_history=run.cutoff is None,
    )


_BROKEN = {Connection.DISCONNECTED: "disconnected", Connection.HELD: "held"}
_COUNTED = frozenset({"pull_requests", "reviews", "commits", "files", "comments", "check_runs", "deployments"})


def send_sync_complete_notification(tracked_repo: TrackedRepository, stats: SyncStats) -> int:
    """One e-mail to each admin: counts, duration, coverage, what is partial, a link. How many were sent.

    `tracked_repo.repository` is loaded already; the mail server is spoken to outside any scope.
    """
    team = Team.objects.get(pk=tracked_repo.team_id)
    repository = tracked_repo.repository
    known = repository.completeness
    partial = f", {known['partial']:,} partial" if known.get("partial") else ""
    unread = f", {unread_of(known):,} could not be read" if known and unread_of(known) else ""
    subject = f"{repository.full_name} is synced: {stats.pull_requests:,} pull requests{partial}{unread}"
    context = {
        "team": team,
        "repository": repository,
        "stats": stats,
        "completeness": completeness_in_words(repository),
        "is_complete": not known.get("partial") and not unread and known.get("stored") == known.get("stated"),
        "examples": list(stats.partial.items())[:EXAMPLES],
        "others": max(0, len(stats.partial) - EXAMPLES),
        "overview_url": settings.BASE_URL + reverse("metrics:overview", args=[team.slug]),
        "repositories_url": settings.BASE_URL + reverse("integrations:repositories", args=[team.slug]),
    }
    return _send(team, subject, "integrations/email/sync_complete", context)


def _send_needs_attention(run: SyncRun) -> int:
    """What a person must do: once, however many syncs find it so; a sync that ends well forgets it."""
    tracked = run.tracked_repository
    team = Team.objects.get(pk=run.team_id)
    context = {
        "team": team,
        "repository": tracked.repository,
        "reason": run.errors[-1] if run.errors else tracked.last_sync_error,
        "since": run.finished_at,
        "again_at": tried_again_at(tracked, run),
        "organization": tracked.integration.organization_slug,
        "repositories_url": settings.BASE_URL + reverse("integrations:repositories", args=[team.slug]),
    }
    subject = f"The sync of {tracked.repository.full_name} needs you"
    with _first_word(tracked) as is_first:
        return _send(team, subject, "integrations/email/sync_needs_attention", context) if is_first else 0


def connections_untold(team_id: int) -> list[int]:
    """The team's connections that need the admins, who were not told yet. One statement."""
    with team_scope(team_id):
        some = GitHubIntegration.objects.exclude(sync_status=Connection.CONNECTED, permissions_missing={})
        return [integration.pk for integration in some.order_by("pk") if _is_untold(integration)]


def _is_untold(integration: GitHubIntegration) -> bool:
    is_broken = integration.sync_status != Connection.CONNECTED
    return (is_broken and integration.admins_told_at is None) or bool(_permissions_untold(integration))


def _permissions_untold(integration: GitHubIntegration) -> list[str]:
    return sorted(set(integration.permissions_missing) - set(integration.permissions_told))


def notify_about_connection(*, team_id: int, integration_id: int) -> int:
    """Write to the admins what of a connection needs them, once for each thing that does. How many were sent."""
    with team_scope(team_id):
        integration: GitHubIntegration = GitHubIntegration.objects.get(pk=integration_id)
    sent = 0
    if integration.sync_status != Connection.CONNECTED:
        with _first_word(integration) as is_first:
            sent += _send_about(integration, _BROKEN[Connection(integration.sync_status)]) if is_first else 0
    if parts := _permissions_untold(integration):
        sent += _send_about(integration, "permissions", parts)
        with team_scope(team_id):  # after it was sent: rather twice than never
            told = sorted({*integration.permissions_told, *parts} & set(integration.permissions_missing))
            GitHubIntegration.objects.filter(pk=integration_id).update(permissions_told=told)
    return sent


def _send_about(integration: GitHubIntegration, trouble: str, parts: Sequence[str] = ()) -> int:
    team = Team.objects.get(pk=integration.team_id)
    missing = integration.permissions_missing
    context = {
        "team": team,
        "integration": integration,
        "trouble": trouble,
        "missing": [(part, missing[part].get("permission", "")) for part in parts],
        "repositories_url": settings.BASE_URL + reverse("integrations:repositories", args=[team.slug]),
        "connect_url": settings.BASE_URL + reverse("integrations:connect", args=[team.slug]),
    }
    subject = f"The GitHub connection to {integration.organization_slug} needs you"
    return _send(team, subject, "integrations/email/connection_needs_attention", context)


@contextmanager
def _first_word(row: GitHubIntegration | TrackedRepository) -> Iterator[bool]:
    """Whether nobody told the admins yet, claimed by asking; an e-mail that does not leave gives the claim back."""
    rows, team_id = type(row).objects.filter(pk=row.pk), row.team_id
    with team_scope(team_id):
        is_first = bool(rows.filter(admins_told_at=None).update(admins_told_at=timezone.now()))
    try:
        yield is_first
    except (OSError, SMTPException):
        if is_first:
            with team_scope(team_id):
                rows.update(admins_told_at=None)
        raise


def _send(team: Team, subject: str, template: str, context: dict[str, object]) -> int:
    admins = Membership.objects.filter(team=team, role=Membership.Role.ADMIN, user__is_active=True)
    text, html = (render_to_string(f"{template}.{kind}", context) for kind in ("txt", "html"))
    sent = 0
    for address in admins.order_by("pk").values_list("user__email", flat=True):
        mail = EmailMultiAlternatives(" ".join(subject.split()), text, to=[address])
        mail.attach_alternative(html, "text/html")
        sent += mail.send()
    return sent
