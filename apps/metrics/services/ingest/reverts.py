"""Which pull request a revert undoes. Backfills come newest first, so the undone one mostly arrives later: both sides
are looked at, whichever arrives.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from django.db.models import Q, QuerySet

from apps.metrics.calculations.text import Revert, revert_of
from apps.metrics.models import PullRequest, Repository

_Candidate: TypeAlias = tuple[int, int, str, str]  # number, primary key, title, merge commit


def resolve_reverts(repository: Repository, arrived: Mapping[int, str]) -> int:
    """Connect the repository's reverts with what they undo; `arrived`: numbers and titles of what is new or changed.

    By number, by the merge commit's sha, else the latest earlier one with the quoted title. One statement (served by
    pull_request_revert), two or three where reverts are open. Answers how many were connected.
    """
    of_repository = PullRequest.objects.filter(team_id=repository.team_id, repository_id=repository.pk, gone_at=None)
    quoting = [f'Revert "{title.strip()}"' for title in arrived.values()]
    reverts = of_repository.filter(Q(reverts=None) | Q(title__in=quoting), is_revert=True)
    rows = list(reverts.values("id", "number", "title", "body", "url", "reverts_id"))
    if not rows:
        return 0
    said = {row["number"]: revert_of(row["title"], row["body"], row["url"]) for row in rows}
    candidates = _candidates(of_repository, said, arrived)
    changed = []
    for row in rows:
        found = _undone_by(row["number"], said[row["number"]], candidates)
        if found is not None and found != row["reverts_id"]:
            changed.append(PullRequest(id=row["id"], team_id=repository.team_id, reverts_id=found))
    if changed:
        PullRequest.objects.bulk_update(changed, ["reverts"])
    return len(changed)


def _candidates(
    of_repository: QuerySet[PullRequest], said: Mapping[int, Revert], arrived: Collection[int]
) -> list[_Candidate]:
    """What the reverts may mean, by number. Titles and shas have no index: the whole repository is looked through for
    reverts that have just arrived, for older ones only what has arrived.
    """
    means = Q(number__in={revert.number for revert in said.values() if revert.number is not None} | set(arrived))
    new = [revert for number, revert in said.items() if number in arrived]
    if titles := {revert.title for revert in new if revert.title}:
        means |= Q(title__in=titles)
    for sha in {revert.sha for revert in new if revert.sha}:
        means |= Q(merge_commit_sha__gte=sha, merge_commit_sha__lt=sha + "g")  # begins with
    return sorted(of_repository.filter(means).values_list("number", "id", "title", "merge_commit_sha"))


def _undone_by(own: int, revert: Revert, candidates: Iterable[_Candidate]) -> int | None:
    """The primary key; a pull request never undoes itself."""
    others = [each for each in candidates if each[0] != own]
    if revert.number is not None:
        return next((id_ for number, id_, _, _ in others if number == revert.number), None)
    if revert.sha:
        return next((id_ for _, id_, _, sha in others if sha.startswith(revert.sha)), None)
    earlier = [id_ for number, id_, title, _ in others if number < own and title.strip() == revert.title]
    return earlier[-1] if revert.title and earlier else None
