"""Whether anything of the Repositories page has changed since it was shown, without making the page."""

from __future__ import annotations

from django.db import connection

from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.teams.scope import required_team_id

Sync = TrackedRepository.SyncStatus
UPKEEP = [
    "updated_at",
    "looked_at",
    "look_asked_at",
    "look_claimed_until",
    "checks_read_at",
    "checks_cursor",
    "last_sync_at",
    "hook_write_at",
    "webhook_secret",
    "webhook_secret_before",
]
"""Columns of a connection that the page does not show: the upkeep writes them every few minutes."""


def repositories_version() -> str:
    """Another text as soon as the page would show something else, whatever its filters; in the team's scope. One
    statement, which reads the team's connections and tracked repositories.

    A row's `xmin` is the transaction that wrote it (see `metrics.queries.live`). A repository that is being synced
    changes with each page of the sync: its card asks for itself then, and only what else is said of it counts here.
    Repositories that a connection sees come and go with its listing, the end of which is in its row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _VERSION,
            {
                "team": required_team_id(),
                "upkeep": UPKEEP,
                "connected": GitHubIntegration.SyncStatus.CONNECTED,
                "moving": [Sync.SYNCING, Sync.PAUSED],
                "pending": Sync.PENDING,
            },
        )
        return str(cursor.fetchone()[0])


# Served by the unique keys that begin with the team.
_VERSION = """
SELECT md5(concat_ws(' ',
    (SELECT string_agg((to_jsonb(i) - %(upkeep)s::text[])::text, ' ' ORDER BY i.id)
     FROM integrations_githubintegration i WHERE i.team_id = %(team)s),
    (SELECT string_agg(concat_ws(':', c.id, c.xmin), ' ' ORDER BY c.id)
     FROM integrations_integrationcredential c WHERE c.team_id = %(team)s),
    (SELECT string_agg(
        CASE WHEN t.is_active AND t.stopped_at IS NULL AND i.sync_status = %(connected)s
             AND (t.sync_status = ANY(%(moving)s) OR t.sync_status = %(pending)s AND t.sync_requested_at IS NOT NULL)
        THEN concat_ws(':', t.id, t.sync_status, t.days_back, r.full_name, r.is_private, r.is_archived)
        ELSE concat_ws(':', t.id, t.xmin, r.xmin) END, ' ' ORDER BY t.id)
     FROM integrations_trackedrepository t
     JOIN metrics_repository r ON r.id = t.repository_id
     JOIN integrations_githubintegration i ON i.id = t.integration_id
     WHERE t.team_id = %(team)s)))
"""
