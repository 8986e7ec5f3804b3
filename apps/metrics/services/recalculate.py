"""Every derived field and aggregate again, from the stored facts: after a mark, or when a definition changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from apps.common.copy_upsert import update_rows
from apps.metrics.calculations import category_of, derive
from apps.metrics.models import PRFile, PullRequest, Repository
from apps.metrics.queries.stored_records import records_of
from apps.metrics.services.aggregate import aggregate_weeks
from apps.metrics.services.deploy_stage import set_deploy_seconds
from apps.metrics.services.ingest.pull_requests import DERIVED, derived_row
from apps.metrics.services.ingest.reverts import resolve_reverts
from apps.metrics.services.members import marked_bots
from apps.teams.scope import team_scope

CHUNK = 200


@dataclass(frozen=True, slots=True)
class Recalculated:
    """`changed`: pull requests that have other numbers now; `weeks`: rows of the weekly aggregates that changed."""

    pull_requests: int = 0
    changed: int = 0
    files: int = 0
    weeks: int = 0


def recalculate_team(team_id: int) -> Recalculated:
    """Derive everything of a team anew, a chunk of pull requests in a transaction of its own: bounded memory, and the
    sync may go on meanwhile. Not inside a `team_scope`.
    """
    with team_scope(team_id):
        repositories = list(Repository.objects.order_by("pk"))
    total = Recalculated()
    for repository in repositories:
        last = 0
        while chunk := _recalculate_after(repository, last):
            last, seen, changed, files = chunk
            total = replace(
                total,
                pull_requests=total.pull_requests + seen,
                changed=total.changed + changed,
                files=total.files + files,
            )
        with team_scope(team_id):
            resolve_reverts(repository, _quotable(repository))
            set_deploy_seconds(repository)
    return replace(total, weeks=aggregate_weeks(team_id, None).changed)


def _recalculate_after(repository: Repository, last: int) -> tuple[int, int, int, int] | None:
    """The next chunk: its last primary key, how many pull requests it had, how many of them and of their files changed.
    Locked, so that no page is written between reading and writing.
    """
    with team_scope(repository.team_id):
        of_repository = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, pk__gt=last)
        locked = of_repository.select_for_update(no_key=True, of=("self",)).select_related("milestone")
        rows = list(locked.order_by("pk")[:CHUNK])
        if not rows:
            return None
        is_bot = marked_bots()
        derived = [
            {"id": pk, **derived_row(derive(record, is_bot=is_bot))}
            for pk, record in records_of(repository, rows).items()
        ]
        changed = update_rows(PullRequest, derived, update=DERIVED)
        files = PRFile.objects.filter(team_id=repository.team_id, pull_request__in=rows)
        categories = [
            {"id": pk, "category": category_of(filename)} for pk, filename in files.values_list("pk", "filename")
        ]
        return rows[-1].pk, len(rows), changed, update_rows(PRFile, categories, update=["category"])


def _quotable(repository: Repository) -> dict[int, str]:
    """Numbers and titles of what reverts may quote: everything, when there is a revert at all."""
    pull_requests = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, gone_at=None)
    if not pull_requests.filter(is_revert=True).exists():
        return {}
    return dict(pull_requests.values_list("number", "title"))
