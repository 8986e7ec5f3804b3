"""Commits, files and checks. Commits and checks belong to the repository: several pull requests may share them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from apps.common.copy_upsert import Pending, begin_upsert, update_rows
from apps.metrics.calculations.checks import ci_status_of
from apps.metrics.calculations.files import category_of
from apps.metrics.calculations.spans import seconds_between
from apps.metrics.models import Commit, PRCheckRun, PRFile, PullRequest, PullRequestCommit, Repository
from apps.metrics.queries.stored_records import checks_of
from apps.metrics.records import CheckRecord, Part
from apps.metrics.services.ingest.weeks import weeks_of
from apps.metrics.services.ingest.writing import Page, Row, mark_gone, write_children

# A run goes on and never back, in whatever order it is told (a new attempt is a new run); a context is known by its
# name alone, so its latest word counts.
_RANK = "array_position(ARRAY['in_progress', 'completed'], {row}.status::text)"
_RUN_GOES_ON = (
    f"coalesce({_RANK.format(row='t')}, 0) <= coalesce({_RANK.format(row='EXCLUDED')}, 0)"
    " AND coalesce(t.completed_at <= EXCLUDED.completed_at, true)"
)
_CONTEXT_IS_LATER = (
    "coalesce(coalesce(t.completed_at, t.started_at) <= coalesce(EXCLUDED.completed_at, EXCLUDED.started_at), true)"
)
_CHECK_UPDATE = (
    "name",
    "status",
    "conclusion",
    "started_at",
    "completed_at",
    "duration_seconds",
    "attempt",
    "gone_at",
)


def write_commits(page: Page) -> Pending:
    """The commits themselves; the answer is for `write_positions`."""
    rows: dict[str, Row] = {}
    id_of = page.members.id_of
    for record in page.records:
        for commit in record.commits or ():
            rows[commit.sha] = {
                "repository_id": page.repository.pk,
                "github_sha": commit.sha,
                "message": commit.message,
                "author_id": id_of(commit.author),
                "author_name": commit.author_name,
                "author_email": commit.author_email,
                "committer_id": id_of(commit.committer),
                "authored_at": commit.authored_at,
                "committed_at": commit.committed_at,
                "additions": commit.additions,
                "deletions": commit.deletions,
                "changed_files": commit.changed_files,
            }
    pending = begin_upsert(
        Commit,
        list(rows.values()),
        conflict=["team", "repository", "github_sha"],
        # What a sha stands for never changes; who it is may become known.
        update=("gone_at",),
        keep=(
            "author",
            "committer",
            "message",
            "author_name",
            "author_email",
            "additions",
            "deletions",
            "changed_files",
        ),
        returning=["github_sha", "id"],
    )
    page.later.append(lambda: page.count("commits", rows, pending.result()))
    return pending


def write_positions(page: Page, commits: Pending) -> None:
    """Which pull request has which commits, in their order."""
    ids = dict(commits.result().written)
    changed = set(ids)
    shas = {commit.sha for record in page.records for commit in record.commits or ()}
    if unchanged := shas - changed:
        stored = Commit.objects.filter(team_id=page.repository.team_id, repository_id=page.repository.pk)
        ids.update(stored.filter(github_sha__in=list(unchanged)).values_list("github_sha", "id"))
    rows: dict[Any, Row] = {}
    for record in page.records:
        pull_request = page.ids[record.number]
        for position, commit in enumerate(record.commits or ()):
            rows[pull_request, commit.sha] = {
                "pull_request_id": pull_request,
                "commit_id": ids[commit.sha],
                "position": position,
            }
            if commit.sha in changed:
                page.changed.add(pull_request)
    write_children(
        page,
        "pull_request_commits",
        PullRequestCommit,
        rows,
        conflict=("pull_request", "commit"),
        update=("position", "gone_at"),
        weekly=True,
    )
    mark_gone(
        page,
        "pull_request_commits",
        PullRequestCommit,
        page.complete(Part.COMMITS),
        rows.values(),
        ("commit_id",),
        instant="commit__authored_at",
    )


def write_files(page: Page) -> None:
    rows: dict[Any, Row] = {}
    for record in page.records:
        pull_request = page.ids[record.number]
        for file in record.files or ():
            rows[pull_request, file.filename] = {
                "pull_request_id": pull_request,
                "filename": file.filename,
                "status": file.status,
                "additions": file.additions,
                "deletions": file.deletions,
                "category": category_of(file.filename),
            }
    write_children(
        page,
        "files",
        PRFile,
        rows,
        conflict=("pull_request", "filename"),
        update=("status", "additions", "deletions", "category", "gone_at"),
    )
    mark_gone(page, "files", PRFile, page.complete(Part.FILES), rows.values(), ("filename",))


def write_checks(page: Page) -> None:
    """Nothing of them is ever gone: the source tells the latest attempts only, and the earlier ones are kept."""
    checks = [check for record in page.records for check in record.checks or ()]
    pending = store_checks(page.repository, checks)

    def settle() -> None:
        shas: set[str] = set()
        for written in (each.result() for each in pending):
            page.rows["check_runs"] += written.inserted + written.updated + written.unchanged
            page.changes["check_runs"] += written.changed
            shas.update(sha for (sha,) in written.written)
        heads = ((page.ids[r.number], check.head_sha) for r in page.records for check in r.checks or ())
        page.changed.update(pull_request for pull_request, sha in heads if sha in shas)
        of_page = {page.ids[record.number] for record in page.records}
        set_ci_status(page.repository, shas, synced_at=page.synced_at, leave_out=of_page)

    page.later.append(settle)


@dataclass(frozen=True, slots=True)
class IngestedChecks:
    """`changed`: rows that were written."""

    changed: int
    touched_weeks: frozenset[date]


def ingest_checks(repository: Repository, checks: Sequence[CheckRecord], *, synced_at: datetime) -> IngestedChecks:
    """Store checks that came without a pull request, and what they mean for those with their head, in the caller's
    `team_scope`. Two statements where nothing is new, else five at most.
    """
    written = [pending.result() for pending in store_checks(repository, checks)]
    shas = {sha for upserted in written for (sha,) in upserted.written}
    if not shas:
        return IngestedChecks(0, frozenset())
    set_ci_status(repository, shas, synced_at=synced_at)
    instants = [check.completed_at for check in checks if check.head_sha in shas and check.completed_at is not None]
    weeks = weeks_of(instants, repository.team.time_zone)
    return IngestedChecks(sum(upserted.changed for upserted in written), frozenset(weeks))


def set_ci_status(
    repository: Repository, shas: Collection[str], *, synced_at: datetime, leave_out: Collection[int] = ()
) -> None:
    """What the stored checks of these commits mean for every pull request with one of them at its head, but for those
    to `leave_out`. One statement where there is none, else three at most.
    """
    of_head = PullRequest.objects.filter(team_id=repository.team_id, repository_id=repository.pk, head_sha__in=shas)
    found = [row for row in of_head.values_list("id", "head_sha", "ci_status") if row[0] not in leave_out]
    stored = checks_of(repository, {sha for _, sha, _ in found})
    rows = [
        {"id": id_, "ci_status": ci_status_of(stored.get(sha, ()), sha), "synced_at": synced_at}
        for id_, sha, said in found
        if said != ci_status_of(stored.get(sha, ()), sha)
    ]
    update_rows(PullRequest, rows, update=["ci_status", "synced_at"])


def store_checks(repository: Repository, checks: Iterable[CheckRecord]) -> tuple[Pending, Pending]:
    """Send check runs and status contexts, each with one statement; `written` gives the shas of what changed."""
    runs: dict[Any, Row] = {}
    contexts: dict[Any, Row] = {}
    for check in checks:
        row = _check(repository, check)
        if check.id is not None:
            runs[check.id] = row
        else:
            contexts[check.head_sha, row["context"]] = row
    return (
        begin_upsert(
            PRCheckRun,
            list(runs.values()),
            conflict=["team", "github_check_run_id"],
            update=_CHECK_UPDATE,
            keep=("app", "workflow", "url"),
            when=_RUN_GOES_ON,
            returning=["head_sha"],
        ),
        begin_upsert(
            PRCheckRun,
            list(contexts.values()),
            conflict=["team", "repository", "head_sha", "context"],
            update=_CHECK_UPDATE,
            keep=("app", "workflow", "url"),
            when=_CONTEXT_IS_LATER,
            returning=["head_sha"],
        ),
    )


def _check(repository: Repository, check: CheckRecord) -> Row:
    name = check.name[:255]
    started, completed = check.started_at, check.completed_at
    return {
        "repository_id": repository.pk,
        "head_sha": check.head_sha,
        "github_check_run_id": check.id,
        "context": name if check.is_context else None,
        "name": name,
        "status": check.status,
        "conclusion": check.conclusion,
        "started_at": started,
        "completed_at": completed,
        "duration_seconds": seconds_between(started, completed) if started and completed else None,
        "app": check.app[:255],
        "workflow": check.workflow[:255],
        "attempt": check.attempt,
        "url": check.url,
    }
