"""Whether anything of a page has changed since it was shown, without making the page."""

from __future__ import annotations

from django.db import connection

from apps.teams.scope import required_team_id


def pull_request_version(owner: str, name: str, number: int) -> str | None:
    """Another text as soon as any row changed that the page of a pull request shows; None if there is none. The name in
    any case. One statement, of look-ups by key.

    PostgreSQL keeps with each row the transaction that wrote it, `xmin`: id and xmin of all rows say which rows there
    are and that they are those of before. An ingest leaves alone what did not change, and so do VACUUM and locks. A
    restored backup has other xmins: every open page is shown anew once. What the page sets beside it, as the usual
    length of a stage, is of other pull requests and left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, {"team": required_team_id(), "full_name": f"{owner}/{name}".lower(), "number": number})
        row = cursor.fetchone()
    return None if row is None else str(row[0])


# Served by pull_request_key, review_thread_key and its like: each table of a pull request has an index that begins with
# team and pull request, or with the pull request alone; checks by check_run_head.
_VERSION = """
WITH pr AS MATERIALIZED (
    SELECT p.id, p.xmin, p.repository_id, p.head_sha, p.author_id, p.merged_by_id, p.milestone_id, p.reverts_id,
           r.full_name, r.gone_at IS NULL AS is_there
    FROM metrics_pullrequest p JOIN metrics_repository r ON r.id = p.repository_id
    WHERE p.team_id = %(team)s AND r.team_id = %(team)s AND p.number = %(number)s
      AND lower(r.full_name) = %(full_name)s AND p.gone_at IS NULL
    ORDER BY r.gone_at DESC NULLS FIRST, r.id DESC LIMIT 1
), commits AS MATERIALIZED (
    SELECT c.id, c.xmin, l.xmin AS linked, c.github_sha, c.author_id
    FROM pr JOIN metrics_pullrequestcommit l ON l.team_id = %(team)s AND l.pull_request_id = pr.id
    JOIN metrics_commit c ON c.id = l.commit_id
), reviews AS MATERIALIZED (
    SELECT t.id, t.xmin, t.reviewer_id FROM pr JOIN metrics_prreview t ON t.pull_request_id = pr.id
), comments AS MATERIALIZED (
    SELECT t.id, t.xmin, t.author_id FROM pr JOIN metrics_prcomment t ON t.pull_request_id = pr.id
), events AS MATERIALIZED (
    SELECT t.id, t.xmin, t.actor_id, t.subject_member_id
    FROM pr JOIN metrics_prevent t ON t.team_id = %(team)s AND t.pull_request_id = pr.id
), assignees AS MATERIALIZED (
    SELECT t.id, t.xmin, t.member_id
    FROM pr JOIN metrics_pullrequestassignee t ON t.team_id = %(team)s AND t.pull_request_id = pr.id
), found (kind, id, version) AS (
    SELECT 'commit', id, concat(xmin, '+', linked) FROM commits
    UNION ALL SELECT 'review', id, xmin::text FROM reviews
    UNION ALL SELECT 'comment', id, xmin::text FROM comments
    UNION ALL SELECT 'event', id, xmin::text FROM events
    UNION ALL SELECT 'assignee', id, xmin::text FROM assignees
    UNION ALL SELECT 'thread', t.id, t.xmin::text FROM pr JOIN metrics_reviewthread t ON t.pull_request_id = pr.id
    UNION ALL SELECT 'file', t.id, t.xmin::text
        FROM pr JOIN metrics_prfile t ON t.team_id = %(team)s AND t.pull_request_id = pr.id
    UNION ALL SELECT 'issue', t.id, t.xmin::text
        FROM pr JOIN metrics_linkedissue t ON t.team_id = %(team)s AND t.pull_request_id = pr.id
    UNION ALL SELECT 'label', t.id, concat(t.xmin, '+', l.xmin)
        FROM pr JOIN metrics_pullrequestlabel t ON t.team_id = %(team)s AND t.pull_request_id = pr.id
        JOIN metrics_label l ON l.id = t.label_id
    UNION ALL SELECT 'check', t.id, t.xmin::text
        FROM pr JOIN metrics_prcheckrun t ON t.team_id = %(team)s AND t.repository_id = pr.repository_id
        AND t.head_sha IN (SELECT pr.head_sha UNION SELECT github_sha FROM commits)
    UNION ALL SELECT 'milestone', t.id, t.xmin::text FROM pr JOIN metrics_milestone t ON t.id = pr.milestone_id
    UNION ALL SELECT 'reverted', t.id, t.number::text FROM pr JOIN metrics_pullrequest t ON t.id = pr.reverts_id
    UNION ALL SELECT 'member', t.id, t.xmin::text FROM metrics_teammember t WHERE t.id IN (
        SELECT author_id FROM pr UNION SELECT merged_by_id FROM pr UNION SELECT author_id FROM commits
        UNION SELECT reviewer_id FROM reviews UNION SELECT author_id FROM comments UNION SELECT member_id FROM assignees
        UNION SELECT actor_id FROM events UNION SELECT subject_member_id FROM events
    )
)
SELECT md5(concat_ws(' ', pr.id, pr.xmin, pr.full_name, pr.is_there,
    (SELECT string_agg(concat_ws(':', kind, id, version), ' ' ORDER BY kind, id) FROM found)))
FROM pr
"""
