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


def _part(name: str, table: str, *, versions: str = "t.xmin", also: str = "", joined: str = "") -> str:
    """A part's rows of one pull request, in a subquery of its own: so PostgreSQL looks them up by their key, whatever
    it believes of the sizes of tables that a first sync has just filled.
    """
    return f"""
CROSS JOIN LATERAL (
    SELECT string_agg(concat_ws(':', t.id, {versions}), ' ' ORDER BY t.id) AS version{also}
    FROM {table} t {joined} WHERE t.team_id = %(team)s AND t.pull_request_id = pr.id
) {name}"""  # noqa: S608 - our own tables' names


_PARTS = {
    "commits": _part(
        "commits",
        "metrics_pullrequestcommit",
        versions="t.xmin, c.xmin",
        also=", array_agg(c.github_sha) AS shas, array_agg(c.author_id) AS people",
        joined="JOIN metrics_commit c ON c.id = t.commit_id",
    ),
    "reviews": _part("reviews", "metrics_prreview", also=", array_agg(t.reviewer_id) AS people"),
    "comments": _part("comments", "metrics_prcomment", also=", array_agg(t.author_id) AS people"),
    "events": _part(
        "events", "metrics_prevent", also=", array_agg(t.actor_id) || array_agg(t.subject_member_id) AS people"
    ),
    "assignees": _part("assignees", "metrics_pullrequestassignee", also=", array_agg(t.member_id) AS people"),
    "labels": _part(
        "labels",
        "metrics_pullrequestlabel",
        versions="t.xmin, l.xmin",
        joined="JOIN metrics_label l ON l.id = t.label_id",
    ),
    "threads": _part("threads", "metrics_reviewthread"),
    "files": _part("files", "metrics_prfile"),
    "issues": _part("issues", "metrics_linkedissue"),
}

# Served by pull_request_key, the key of each part's table or its index on the pull request, and check_run_head.
_VERSION = f"""
WITH pr AS MATERIALIZED (
    SELECT p.id, p.xmin, p.repository_id, p.head_sha, p.author_id, p.merged_by_id, p.milestone_id, p.reverts_id,
           r.full_name, r.gone_at IS NULL AS is_there
    FROM metrics_pullrequest p JOIN metrics_repository r ON r.id = p.repository_id
    WHERE p.team_id = %(team)s AND r.team_id = %(team)s AND p.number = %(number)s
      AND lower(r.full_name) = %(full_name)s AND p.gone_at IS NULL
    ORDER BY r.gone_at DESC NULLS FIRST, r.id DESC LIMIT 1
)
SELECT md5(concat_ws('|', pr.id, pr.xmin, pr.full_name, pr.is_there,
    {", ".join(f"'{name}', {name}.version" for name in (*_PARTS, "checks", "people"))},
    'milestone', (SELECT t.xmin FROM metrics_milestone t WHERE t.id = pr.milestone_id),
    'reverts', (SELECT t.number FROM metrics_pullrequest t WHERE t.id = pr.reverts_id)))
FROM pr {"".join(_PARTS.values())}
CROSS JOIN LATERAL (
    SELECT string_agg(concat_ws(':', t.id, t.xmin), ' ' ORDER BY t.id) AS version FROM metrics_prcheckrun t
    WHERE t.team_id = %(team)s AND t.repository_id = pr.repository_id
      AND t.head_sha = ANY(commits.shas || ARRAY[pr.head_sha])
) checks
CROSS JOIN LATERAL (
    SELECT string_agg(concat_ws(':', t.id, t.xmin), ' ' ORDER BY t.id) AS version FROM metrics_teammember t
    WHERE t.id = ANY(ARRAY[pr.author_id, pr.merged_by_id]
        || {" || ".join(f"{name}.people" for name, part in _PARTS.items() if "people" in part)})
) people
"""  # noqa: S608 - our own tables' names
