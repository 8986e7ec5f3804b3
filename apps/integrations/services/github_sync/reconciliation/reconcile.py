"""The nightly reconciliation: what is stored against what GitHub states, and what differs is fetched again.

It walks, a step a lookup, and each step commits its place: the pull requests that an earlier run could not get
("missing"), what is stored against GitHub by node id ("stored"), GitHub's lists against what is stored ("open" and
"closed" down to where the repository is covered, or "all"), the deployments. What differs is gathered and fetched by
the ordinary steps, 100 or a little more at a time; then the comparison goes on where it was.

What it costs: 3 points for 100 stored pull requests, 1 for 100 listed ones, 1 for 100 deployments. In a repository with
more than 2,000 pull requests all open ones and those updated in the last 90 days are compared every night, and of the
rest a seventh. Where the full history is stored GitHub's list is walked only if it counts another number than is here.

Gone is what GitHub says it does not know, by id and by number, while it shows the repository itself. What could not be
asked is left as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone

from apps.integrations.github import changes, reconciliation
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.types import NAMELESS_IN_LIST, IdPage, Spending
from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services.github_sync import coverage, pages, runs, trouble
from apps.integrations.services.github_sync.reconciliation.comparison import (
    A_LOOKUP,
    Row,
    differs,
    differs_listed,
    is_ahead,
    rows_by_number,
    rows_to_compare,
    with_parts,
)
from apps.integrations.services.github_sync.reconciliation.deployment_drift import compare_deployments
from apps.integrations.services.github_sync.steps import Checkpoint, Learned, Plan, leads_back
from apps.metrics.models import PullRequest, Repository
from apps.metrics.queries.completeness import count_gaps
from apps.metrics.services.gone import mark_gone
from apps.teams.scope import team_scope

COMPARE = "compare"
ENOUGH = 100
"""Pull requests that differ before they are fetched. A lookup may add a hundred to one less than that."""

NOT_BELIEVED = 20
"""So many pull requests and more, all of which are gone at once, are not: something hides them."""

CIRCLE = "GitHub's pages lead in circles, so there may be more than what was compared"

Found = list[list[Any]]
"""What is to be fetched, as [node id, number]."""


@dataclass(slots=True)
class Night:
    """A run at work: what it may ask, and what of it this step has spent."""

    run: SyncRun
    graphql: GraphQL
    plan: Plan
    spending: Spending = field(default_factory=Spending)

    @property
    def repository(self) -> Repository:
        repository: Repository = self.run.tracked_repository.repository
        return repository

    @property
    def not_readable(self) -> Collection[str]:
        """As of now: what was fetched meanwhile may have told that more or less can be read."""
        missing: dict[str, Any] = self.run.tracked_repository.integration.permissions_missing
        return missing.keys()

    @property
    def home(self) -> reconciliation.Home:
        return reconciliation.Home(self.plan.owner, self.plan.name)


Fetch = Callable[[Plan, Checkpoint], Learned]


def first_checkpoint(*, every: bool = False) -> Checkpoint:
    """Where a reconciliation begins; of a big repository, with `every` pull request."""
    first = {"phase": COMPARE, "phases": ["updated"], "stage": "missing", "place": None, "ids": [], "missing": []}
    return {**first, "every": True} if every else first


def advance(run: SyncRun, graphql: GraphQL, plan: Plan, fetch: Fetch) -> bool:
    """One step: a comparison, or a fetch of what differed. True when it was the last. Raises GitHubError, Fenced.

    `fetch` is how the ordinary steps ask GitHub.
    """
    checkpoint = {key: value for key, value in run.checkpoint.items() if key not in {"crashes", *trouble.COUNTERS}}
    checkpoint = checkpoint or first_checkpoint()
    if checkpoint["phase"] == COMPARE:
        with team_scope(run.team_id):
            runs.beat(run)
        _compare(Night(run, graphql, plan), checkpoint)
    else:
        _fetch(run, replace(plan, phases=("updated",)), checkpoint, fetch)
    return bool(run.checkpoint["phase"] == "done")


def _fetch(run: SyncRun, plan: Plan, checkpoint: Checkpoint, fetch: Fetch) -> None:
    learned = fetch(plan, checkpoint)
    if learned.next is None:
        learned = replace(learned, next=checkpoint["then"])
    pages.write_step(run, learned)


def _compare(night: Night, checkpoint: Checkpoint) -> None:
    if "asked" in checkpoint:
        _check_fetched(night, checkpoint)
    elif len(checkpoint["ids"]) >= ENOUGH or (checkpoint["stage"] == "end" and checkpoint["ids"]):
        _begin_fetch(night, checkpoint)
    elif checkpoint["stage"] == "end":
        _commit(night, {"phase": "done", "missing": checkpoint["missing"]})
    else:
        _STAGES[checkpoint["stage"]](night, checkpoint)


def _begin_fetch(night: Night, checkpoint: Checkpoint) -> None:
    """The ordinary steps have the word until what differs is fetched, then the comparison again."""
    then = {**checkpoint, "ids": [], "asked": [number for _, number in checkpoint["ids"]]}
    _commit(
        night,
        {"phase": "updated", "phases": ["updated"], "cursor": None, "ids": checkpoint["ids"], "then": then},
    )


def _check_fetched(night: Night, checkpoint: Checkpoint) -> None:
    """Whether all that was asked for is here now, whole; what is not is said."""
    asked: list[int] = checkpoint["asked"]
    rest = {key: value for key, value in checkpoint.items() if key != "asked"}
    with team_scope(night.run.team_id):
        lacking = coverage.not_stored(night.repository, asked)
        coverage.note_gaps(night.repository, count_gaps(night.repository, asked))
        rest["missing"] = sorted({*rest["missing"], *lacking})[-coverage.MOST_MISSING :]
        _commit(night, rest, counts={"repaired": len(asked) - len(lacking)})


def _missing(night: Night, checkpoint: Checkpoint) -> None:
    """What earlier runs could not get, asked for by number."""
    numbers = night.repository.completeness.get("missing", ())[:A_LOOKUP]
    found = _look_up(night, numbers)
    _commit(night, _staged(checkpoint, "stored", place=0, found=[[id_, number] for number, id_ in found.ids.items()]))


def _stored(night: Night, checkpoint: Checkpoint) -> None:
    """The next stored pull requests against what GitHub states of them, and against the rows that belong to them."""
    repository, now = night.repository, timezone.now()
    with team_scope(night.run.team_id):
        rows = rows_to_compare(
            repository, after=checkpoint["place"], now=night.run.created_at, every=checkpoint.get("every", False)
        )
        rows = with_parts(repository, rows)
        gaps = {gap.number for gap in count_gaps(repository, [row["number"] for row in rows])} if rows else set()
    if not rows:
        _commit(night, _staged(checkpoint, "all" if _is_full(repository) else "open"))
        return
    ids = [row["node_id"] for row in rows]
    states = reconciliation.states_of(
        night.graphql, night.home, ids, without=night.plan.skipped(checkpoint), spending=night.spending
    )
    other = [row for row in rows if row["node_id"] in states.unknown or _is_another(row, states)]
    numbered = _look_up(night, [row["number"] for row in other])
    found: Found = [[id_, number] for number, id_ in numbered.ids.items()]
    ahead = []
    for row in rows:
        stated = states.stated.get(row["node_id"])
        if stated is None or row in other:
            continue
        if row["number"] in gaps or differs(row, stated, not_readable=night.not_readable):
            found.append([row["node_id"], row["number"]])
            if is_ahead(row, stated, now=now, settled=runs.WATERMARK_OVERLAP):
                ahead.append((row["id"], stated["updatedAt"]))
    gone = [row["node_id"] for row in other if row["number"] in numbered.unknown]
    doubt = ""
    if len(rows) >= NOT_BELIEVED and len(gone) == len(rows):  # hidden rather than deleted one by one
        gone, doubt = [], f"GitHub knows none of {len(rows)} pull requests; none was marked as gone"
    with team_scope(night.run.team_id):
        runs.beat(night.run)  # first: it locks the run until the end of this transaction
        marked = mark_gone(repository, gone, at=now)
        for pk, updated_at in ahead:  # else what is fetched would be taken for older
            PullRequest.objects.filter(pk=pk).update(pr_updated_at=updated_at)
        place = rows[-1]["number"]
        _commit(
            night,
            _staged(checkpoint, "stored", place=place, found=found),
            counts={"compared": len(states.stated) + len(gone), "gone": marked.marked},
            weeks=marked.touched_weeks,
            doubt=doubt,
        )


def _all(night: Night, checkpoint: Checkpoint) -> None:
    """GitHub's whole list, newest first, walked only where its count says that something is not here."""
    page = _list(night, checkpoint, None, "CREATED_AT")
    with team_scope(night.run.team_id):
        here = PullRequest.objects.filter(team_id=night.run.team_id, repository=night.repository, gone_at=None).count()
        found = _to_fetch(night.repository, page)
        waiting = {number for _, number in (*checkpoint["ids"], *found)}
        Repository.objects.filter(pk=night.repository.pk).update(prs_stated=page.total)
        night.repository.prs_stated = page.total
        lacking = page.total - here - len(coverage.not_stored(night.repository, {*checkpoint["missing"], *waiting}))
        goes_on = page.has_next and lacking > 0
        _turn_over(night, checkpoint, page, goes_on, then="deployments", found=found)


def _open(night: Night, checkpoint: Checkpoint) -> None:
    """Of a window: everything open, however old."""
    page = _list(night, checkpoint, ["OPEN"], "CREATED_AT")
    with team_scope(night.run.team_id):
        found = _to_fetch(night.repository, page)
        _turn_over(night, checkpoint, page, page.has_next, then="closed", found=found)


def _closed(night: Night, checkpoint: Checkpoint) -> None:
    """Of a window: what was merged or closed and updated since its begin."""
    since = night.repository.covered_from
    page = _list(night, checkpoint, ["MERGED", "CLOSED"], "UPDATED_AT")
    inside = tuple(listed for listed in page.touched if since is not None and listed.updated_at >= since)
    with team_scope(night.run.team_id):
        found = _to_fetch(night.repository, replace(page, touched=inside))
        goes_on = page.has_next and len(inside) == len(page.touched)
        _turn_over(night, checkpoint, page, goes_on, then="deployments", found=found)


def _turn_over(night: Night, checkpoint: Checkpoint, page: IdPage, goes_on: bool, *, then: str, found: Found) -> None:
    """Commit the next page of a list, or the stage after it; also where the pages lead back to one that was seen."""
    cursor = page.end_cursor if goes_on else None
    is_back, checkpoint = _leads_back(checkpoint, cursor)
    following = (then, None) if cursor is None or is_back else (checkpoint["stage"], cursor)
    doubt = NAMELESS_IN_LIST if page.lost else ""
    _commit(night, _staged(checkpoint, *following, found=found), doubt=CIRCLE if is_back else doubt)


def _leads_back(checkpoint: Checkpoint, cursor: str | None) -> tuple[bool, Checkpoint]:
    """As `leads_back`, within a stage."""
    if cursor is None:
        return False, checkpoint
    place = checkpoint["place"]
    of_stage = {**checkpoint, "phase": checkpoint["stage"], "cursor": place["after"] if type(place) is dict else place}
    is_back, found = leads_back(of_stage, cursor)
    return is_back, {**checkpoint, "lap": found.get("lap")}


def _deployments(night: Night, checkpoint: Checkpoint) -> None:
    if "deployments" in night.run.tracked_repository.integration.permissions_missing:
        _commit(night, _staged(checkpoint, "end"))
        return
    compared = compare_deployments(
        night.graphql,
        night.home,
        repository=night.repository,
        place=checkpoint["place"],
        since=None if _is_full(night.repository) else night.repository.covered_from,
        spending=night.spending,
    )
    with team_scope(night.run.team_id):
        runs.beat(night.run)  # first: it locks the run until the end of this transaction
        done = compared.write(timezone.now())
        place = compared.place
        is_back, checkpoint = _leads_back(checkpoint, place["after"] if place is not None else None)
        following = ("end", None) if place is None or is_back else ("deployments", place)
        counts = {"repaired": done.repaired, "gone": done.gone, "deployments": done.repaired}
        doubt = CIRCLE if is_back else ""
        _commit(night, _staged(checkpoint, *following), counts=counts, weeks=done.touched_weeks, doubt=doubt)


_STAGES: dict[str, Callable[[Night, Checkpoint], None]] = {
    "missing": _missing,
    "stored": _stored,
    "all": _all,
    "open": _open,
    "closed": _closed,
    "deployments": _deployments,
}


def _list(night: Night, checkpoint: Checkpoint, states: list[str] | None, order: str) -> IdPage:
    def ask(size: int) -> IdPage:
        return changes.list_ids(
            night.graphql,
            owner=night.plan.owner,
            name=night.plan.name,
            after=checkpoint["place"],
            page_size=size,
            states=states,
            order=order,
            spending=night.spending,
        )

    return reconciliation.smaller_until_it_fits(ask)


def _to_fetch(repository: Repository, page: IdPage) -> Found:
    rows: dict[int, Row] = rows_by_number(repository, [listed.number for listed in page.touched])
    return [[each.id, each.number] for each in page.touched if differs_listed(rows.get(each.number), each)]


def _look_up(night: Night, numbers: Collection[int]) -> reconciliation.Numbered:
    return reconciliation.by_number(night.graphql, night.home, list(numbers), spending=night.spending)


def _is_another(row: Row, states: reconciliation.States) -> bool:
    stated = states.stated.get(row["node_id"])
    return stated is not None and stated["number"] != row["number"]


def _is_full(repository: Repository) -> bool:
    return repository.covered_from == runs.EVERYTHING


def _staged(checkpoint: Checkpoint, stage: str, place: Any = None, *, found: Iterable[list[Any]] = ()) -> Checkpoint:
    ids = {number: [id_, number] for id_, number in (*checkpoint["ids"], *found)}
    return {**checkpoint, "stage": stage, "place": place, "ids": list(ids.values())}


def _commit(
    night: Night,
    checkpoint: Checkpoint,
    *,
    counts: dict[str, int] | None = None,
    weeks: Collection[Any] = (),
    doubt: str = "",
) -> None:
    """The place, with what the step did and cost, and what it did not believe. Raises Fenced."""
    run = night.run
    unreadable = {**run.partial.get("unreadable", {}), f"-{checkpoint.get('place')}": doubt} if doubt else {}
    with team_scope(run.team_id):
        runs.hold(
            run,
            checkpoint=checkpoint,
            heartbeat_at=timezone.now(),
            counts=_added(run.counts, counts or {}),
            touched_weeks=sorted({*run.touched_weeks, *(week.isoformat() for week in weeks)}),
            points=run.points + night.spending.points,
            requests=run.requests + night.spending.requests,
            partial={**run.partial, "unreadable": unreadable} if unreadable else run.partial,
        )
        TrackedRepository.objects.filter(pk=run.tracked_repository_id).update(sync_activity="Comparing with GitHub")


def _added(known: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    """Also what is 0 is said: nothing was gone."""
    counts = Counter({"compared": 0, "repaired": 0, "gone": 0})
    counts.update(known)
    counts.update(more)
    return dict(counts)
