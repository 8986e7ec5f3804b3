"""What disappears from a pull request on GitHub is marked by the next sync of it, comes back when it does, and stays
when it only could not be fetched.
"""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.sync_support import tracked_at
from apps.metrics.models import (
    LinkedIssue,
    PRComment,
    PREvent,
    PRFile,
    PRReview,
    PullRequest,
    PullRequestAssignee,
    PullRequestCommit,
    PullRequestLabel,
    ReviewThread,
)
from apps.teams.scope import team_scope
from devtools.github_sandbox.entities import ChangedFile
from devtools.github_sandbox.server import SandboxServer

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PARTS = ("labels", "assignees", "closing_issues", "reviews", "threads", "comments", "commits", "files", "events")
MODELS = {
    "labels": PullRequestLabel,
    "assignees": PullRequestAssignee,
    "closing_issues": LinkedIssue,
    "reviews": PRReview,
    "threads": ReviewThread,
    "comments": PRComment,
    "commits": PullRequestCommit,
    "files": PRFile,
    "events": PREvent,
}
FIELDS = {
    "closing_issues": "closingIssuesReferences",
    "threads": "reviewThreads",
    "events": "timelineItems",
}


@pytest.fixture
def world(settings, team):
    """A pull request with one or two of everything, synced; `there` counts what is stored and not gone."""
    with SandboxServer(synthetic=["acme:shop:6:7"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        contents = github.world.repository("acme/shop").contents
        number = change(github, "open")["number"]
        for action in ("push", "comment", "review", "review_comment", "label", "ready_for_review"):
            change(github, action, number=number)
        pull = contents.pulls[number]
        pull.assignees.append(github.world.repository("acme/shop").owner.members[0].account)
        pull.closing_issues.append(next(iter(contents.issues.values())))
        pull.files, pull.changed_files = [ChangedFile("src/a.py", 3, 1), ChangedFile("src/b.py", 9, 2)], 2
        tracked = tracked_at(github, team, "acme/shop")
        assert github_sync.sync_repository_history(tracked, None).ended == Ended.FINISHED
        yield SimpleNamespace(github=github, pull=pull, number=number, team=team)


def change(github, action, **request):
    return github.mutations.apply({"repo": "acme/shop", "action": action, **request})


def synced(world):
    """After something of the pull request changed."""
    change(world.github, "edit", number=world.number, title=f"again {world.pull.title}"[:200])
    with team_scope(world.team.pk):
        tracked = TrackedRepository.objects.select_related("repository").get()
        run = github_sync.begin_run(tracked=tracked, kind=SyncRun.Kind.INCREMENTAL, days_back=None)
    assert github_sync.advance(github_sync.handle_of(run), seconds=None).ended == Ended.FINISHED


def there(world) -> dict[str, int]:
    counts = {}
    with team_scope(world.team.pk):
        for part, model in MODELS.items():
            rows = model.objects.filter(pull_request__number=world.number)
            if model is PRComment:
                rows = rows.filter(comment_type="issue")
            if any(field.name == "gone_at" for field in model._meta.fields):
                rows = rows.filter(gone_at=None)
            counts[part] = rows.count()
    return counts


def in_threads(world) -> int:
    with team_scope(world.team.pk):
        of_reviews = PRComment.objects.filter(comment_type="review", gone_at=None)
        return of_reviews.filter(pull_request__number=world.number).count()


def taken_away(pull, part) -> list:
    """All of a part, out of GitHub's sight."""
    kept = list(getattr(pull, part))
    getattr(pull, part).clear()
    return kept


@pytest.mark.parametrize("part", PARTS)
def test_what_disappeared_is_gone_until_it_is_there_again(world, part):
    before = there(world)
    assert all(before.values()), before
    kept = taken_away(world.pull, part)
    files = world.pull.changed_files
    if part == "files":
        world.pull.changed_files = 0
    synced(world)
    lost = {name: before[name] - count for name, count in there(world).items() if count != before[name]}
    assert lost == {part: before[part]}
    assert in_threads(world) == (0 if part == "threads" else 1)
    getattr(world.pull, part)[:] = kept
    world.pull.changed_files = files
    synced(world)
    assert there(world) == before
    assert in_threads(world) == 1


@pytest.mark.parametrize("part", PARTS)
def test_what_could_not_be_fetched_is_not_gone(world, part):
    before = there(world)
    world.github.faults.add("*", "graphql_error", times=-1, field=FIELDS.get(part, part), when={"pull": world.number})
    world.github.faults.add("/repos/acme/shop/", "502", times=-1)  # nor over REST
    synced(world)
    assert there(world) == before
    with team_scope(world.team.pk):
        assert SyncRun.objects.latest("pk").status == "partial"


def test_everything_can_be_gone_at_once_and_the_page_counts_nothing_of_it(world):
    for part in PARTS:
        taken_away(world.pull, part)
    world.pull.changed_files = 0
    synced(world)
    assert not any(there(world).values())
    with team_scope(world.team.pk):
        stored = PullRequest.objects.get(number=world.number)
        assert (stored.total_comments, stored.review_rounds, stored.first_review_at) == (0, 0, None)
        assert stored.partial == {}
