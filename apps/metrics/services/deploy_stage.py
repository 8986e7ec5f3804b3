"""The last stage, merge to production (docs/metrics.md, "Containment")."""

from __future__ import annotations

from django.db import connection

from apps.metrics.models import Repository
from apps.metrics.models.deployment import PRODUCTION_NAME


def set_deploy_seconds(repository: Repository) -> int:
    """Set `deploy_seconds` of the repository's merged pull requests: merge to the finish of the first successful
    production deployment that was created after it. NULL where there is none yet.

    By time: the default branch's history is not stored. The first deployment that is known of an environment claims
    only what was merged after `covered_from`, since an earlier one may have carried the rest. In the caller's
    `team_scope`, after deployments or pull requests were written; one statement. Answers how many changed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SET,
            {
                "team": repository.team_id,
                "repository": repository.pk,
                "covered_from": repository.covered_from,
                "production": PRODUCTION_NAME,
            },
        )
        return int(cursor.rowcount)


# Walking back in time over merges and deployments together, the running minimum is the first finish after a merge;
# peers count, so a deployment in the second of the merge contains it.
_SET = """
WITH production AS (
    SELECT deployed_at, finished_at,
           row_number() OVER (PARTITION BY environment ORDER BY deployed_at, id) = 1 AS is_first
    FROM metrics_deployment
    WHERE team_id = %(team)s AND repository_id = %(repository)s AND gone_at IS NULL AND finished_at IS NOT NULL
      AND CASE WHEN is_production IS NULL THEN environment ~* %(production)s ELSE is_production END
),
line AS (
    SELECT NULL::bigint AS id, deployed_at AS at, finished_at, is_first FROM production
    UNION ALL
    SELECT id, merged_at, NULL, NULL FROM metrics_pullrequest
    WHERE team_id = %(team)s AND repository_id = %(repository)s AND merged_at IS NOT NULL AND gone_at IS NULL
),
claim AS (
    SELECT id, at,
           min(finished_at) OVER back AS finished,
           min(finished_at) FILTER (WHERE NOT is_first) OVER back AS finished_later
    FROM line
    WINDOW back AS (ORDER BY at DESC RANGE UNBOUNDED PRECEDING)
),
deployed AS (
    SELECT id, extract(epoch FROM date_trunc('second', finish) - date_trunc('second', at))::bigint AS took
    FROM (SELECT id, at, CASE WHEN at >= %(covered_from)s::timestamptz THEN finished ELSE finished_later END AS finish
          FROM claim WHERE id IS NOT NULL) AS found
)
UPDATE metrics_pullrequest p SET deploy_seconds = deployed.took
FROM deployed
WHERE p.team_id = %(team)s AND p.id = deployed.id AND p.deploy_seconds IS DISTINCT FROM deployed.took
"""
