"""The numbers of single weeks, for each member and for the team (docs/metrics.md, "Weekly aggregates")."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.db import connection

from apps.metrics.models.deployment import PRODUCTION_NAME
from apps.teams.scope import required_team_id


def weekly_numbers(weeks: Iterable[date], time_zone: str) -> list[dict[str, Any]]:
    """What each member, and the team (member None), did in the weeks that begin on these Mondays; weeks and members
    with nothing are left out. The keys are the fields of `WeeklyMetrics`. One statement, in a `team_scope`.

    The team's row leaves bots out; deleted accounts count in it as humans. Durations, rounds and sizes are of what was
    merged in the week, by its author; `ci_pass_rate` of what ended in it, a member's of the heads of their pull
    requests.
    """
    spans = [_span(week, ZoneInfo(time_zone)) for week in sorted(set(weeks))]
    if not spans:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _NUMBERS, {"team": required_team_id(), "spans": orjson.dumps(spans).decode(), "production": PRODUCTION_NAME}
        )
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def weeks_with_anything(time_zone: str) -> list[date]:
    """Every Monday whose week something counts in. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_WEEKS, {"team": required_team_id(), "zone": time_zone})
        return [week for (week,) in cursor.fetchall()]


def _span(week: date, zone: ZoneInfo) -> dict[str, Any]:
    """A Monday and the instants between which its week lies: 167 or 169 hours where the clocks change."""

    def midnight(day: date) -> datetime:
        return datetime.combine(day, time(), zone).astimezone(UTC)

    return {"week": week, "start": midnight(week), "end": midnight(week + timedelta(days=7))}


# Each fact counts for its member, and for the team (NULL) unless the member is a bot: `who` has one row for each.
# Served by pull_request_created, pull_request_merged, review_submitted, comment_written, commit_authored,
# check_run_completed and deployment_finished.
_NUMBERS = """
WITH span AS (
    SELECT * FROM json_to_recordset(%(spans)s::json) AS given(week date, start timestamptz, "end" timestamptz)
),
member AS (
    SELECT id, coalesce(marked_bot, is_bot) AS is_bot FROM metrics_teammember WHERE team_id = %(team)s
),
who AS (
    SELECT id AS actor, id AS member FROM member
    UNION ALL SELECT id, NULL FROM member WHERE NOT is_bot
    UNION ALL SELECT 0, NULL
),
pr AS NOT MATERIALIZED (
    SELECT p.* FROM metrics_pullrequest p
    JOIN metrics_repository r ON r.team_id = p.team_id AND r.id = p.repository_id
    WHERE p.team_id = %(team)s AND p.gone_at IS NULL AND r.gone_at IS NULL
),
opened AS (
    SELECT week, member, count(*) AS prs_opened
    FROM span JOIN pr ON pr_created_at >= start AND pr_created_at < "end"
    JOIN who ON actor = coalesce(author_id, 0)
    GROUP BY week, member
),
merged AS (
    SELECT week, member, count(*) AS prs_merged, sum(review_rounds) AS review_rounds,
           sum(additions) AS additions, sum(deletions) AS deletions,
           percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY cycle_time_seconds) AS cycle_time,
           percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY review_time_seconds) AS review_time
    FROM span JOIN pr ON merged_at >= start AND merged_at < "end"
    JOIN who ON actor = coalesce(author_id, 0)
    GROUP BY week, member
),
reviewed AS (
    SELECT week, member, count(*) AS reviews_given, count(DISTINCT v.pull_request_id) AS prs_reviewed
    FROM span JOIN metrics_prreview v ON v.submitted_at >= start AND v.submitted_at < "end"
    JOIN pr ON pr.id = v.pull_request_id
    JOIN who ON actor = coalesce(v.reviewer_id, 0)
    WHERE v.team_id = %(team)s AND v.gone_at IS NULL AND v.reviewer_id IS DISTINCT FROM pr.author_id
      AND (pr.merged_at IS NULL OR v.submitted_at <= pr.merged_at)
    GROUP BY week, member
),
commented AS (
    SELECT week, member, count(*) AS comments_written
    FROM span JOIN metrics_prcomment c ON c.commented_at >= start AND c.commented_at < "end"
    JOIN pr ON pr.id = c.pull_request_id
    JOIN who ON actor = coalesce(c.author_id, 0)
    WHERE c.team_id = %(team)s AND c.gone_at IS NULL
    GROUP BY week, member
),
committed AS (
    SELECT week, member, count(*) AS commits
    FROM span JOIN metrics_commit c ON c.authored_at >= start AND c.authored_at < "end"
    JOIN who ON actor = coalesce(c.author_id, 0)
    WHERE c.team_id = %(team)s AND c.gone_at IS NULL AND EXISTS (
        SELECT FROM metrics_pullrequestcommit j JOIN pr ON pr.id = j.pull_request_id
        WHERE j.team_id = %(team)s AND j.commit_id = c.id AND j.gone_at IS NULL)
    GROUP BY week, member
),
ended AS (
    SELECT week, k.id, k.repository_id, k.head_sha, k.conclusion = 'success' AS passed
    FROM span JOIN metrics_prcheckrun k ON k.completed_at >= start AND k.completed_at < "end"
    JOIN metrics_repository r ON r.team_id = k.team_id AND r.id = k.repository_id AND r.gone_at IS NULL
    WHERE k.team_id = %(team)s AND k.gone_at IS NULL AND k.conclusion IN ('success', 'failure', 'timed_out')
),
checked AS (
    SELECT week, NULL::bigint AS member, count(*) FILTER (WHERE passed) AS passed, count(*) AS ended
    FROM ended GROUP BY week
    UNION ALL
    SELECT week, author_id, count(DISTINCT ended.id) FILTER (WHERE passed), count(DISTINCT ended.id)
    FROM ended JOIN pr ON pr.repository_id = ended.repository_id AND pr.head_sha = ended.head_sha
    WHERE author_id IS NOT NULL GROUP BY week, author_id
),
deployed AS (
    SELECT week, member, count(*) AS deployments
    FROM span JOIN metrics_deployment d ON d.finished_at >= start AND d.finished_at < "end"
    JOIN metrics_repository r ON r.team_id = d.team_id AND r.id = d.repository_id AND r.gone_at IS NULL
    -- a deployment counts for the team whoever started it, a bot mostly
    JOIN (SELECT actor, member FROM who WHERE member IS NOT NULL
          UNION ALL SELECT id, NULL FROM member UNION ALL SELECT 0, NULL) AS anybody
      ON actor = coalesce(d.creator_id, 0)
    WHERE d.team_id = %(team)s AND d.gone_at IS NULL
      AND CASE WHEN d.is_production IS NULL
               THEN d.environment ~* %(production)s ELSE d.is_production END
    GROUP BY week, member
),
one AS (
    SELECT week, member FROM opened UNION SELECT week, member FROM merged UNION SELECT week, member FROM reviewed
    UNION SELECT week, member FROM commented UNION SELECT week, member FROM committed
    UNION SELECT week, member FROM checked UNION SELECT week, member FROM deployed
)
SELECT one.week, one.member AS member_id,
       coalesce(prs_opened, 0) AS prs_opened, coalesce(prs_merged, 0) AS prs_merged,
       coalesce(prs_reviewed, 0) AS prs_reviewed, coalesce(reviews_given, 0) AS reviews_given,
       coalesce(comments_written, 0) AS comments_written, coalesce(commits, 0) AS commits,
       round((cycle_time[1] / 3600)::numeric, 2) AS cycle_time_hours_median,
       round((cycle_time[2] / 3600)::numeric, 2) AS cycle_time_hours_p90,
       round((review_time[1] / 3600)::numeric, 2) AS review_time_hours_median,
       round((review_time[2] / 3600)::numeric, 2) AS review_time_hours_p90,
       coalesce(review_rounds, 0) AS review_rounds,
       round(passed::numeric / ended, 4) AS ci_pass_rate,
       coalesce(deployments, 0) AS deployments,
       coalesce(additions, 0) AS additions, coalesce(deletions, 0) AS deletions
FROM one
LEFT JOIN opened o ON o.week = one.week AND coalesce(o.member, 0) = coalesce(one.member, 0)
LEFT JOIN merged m ON m.week = one.week AND coalesce(m.member, 0) = coalesce(one.member, 0)
LEFT JOIN reviewed v ON v.week = one.week AND coalesce(v.member, 0) = coalesce(one.member, 0)
LEFT JOIN commented c ON c.week = one.week AND coalesce(c.member, 0) = coalesce(one.member, 0)
LEFT JOIN committed t ON t.week = one.week AND coalesce(t.member, 0) = coalesce(one.member, 0)
LEFT JOIN checked k ON k.week = one.week AND coalesce(k.member, 0) = coalesce(one.member, 0)
LEFT JOIN deployed d ON d.week = one.week AND coalesce(d.member, 0) = coalesce(one.member, 0)
ORDER BY one.week, one.member NULLS FIRST
"""

_WEEKS = """
SELECT DISTINCT date_trunc('week', at AT TIME ZONE %(zone)s)::date AS week FROM (
    SELECT pr_created_at AS at FROM metrics_pullrequest WHERE team_id = %(team)s
    UNION ALL SELECT merged_at FROM metrics_pullrequest WHERE team_id = %(team)s
    UNION ALL SELECT submitted_at FROM metrics_prreview WHERE team_id = %(team)s
    UNION ALL SELECT commented_at FROM metrics_prcomment WHERE team_id = %(team)s
    UNION ALL SELECT authored_at FROM metrics_commit WHERE team_id = %(team)s
    UNION ALL SELECT completed_at FROM metrics_prcheckrun WHERE team_id = %(team)s
    UNION ALL SELECT finished_at FROM metrics_deployment WHERE team_id = %(team)s
) AS moment WHERE at IS NOT NULL ORDER BY week
"""
