"""What happened becomes records: events of the timeline, checks, deployments and their statuses."""

from __future__ import annotations

from typing import Any

import pytest

from apps.integrations.github.deployments import fetch_deployments
from apps.integrations.github.pull_requests import fetch_checks
from apps.integrations.github.tests import builders
from apps.integrations.github.tests.world import World
from apps.integrations.services.mapping import checks_record, deployment_record
from apps.integrations.tests.mapping_support import OCTOCAT, REVIEWER, at, mapped
from apps.metrics.records import CheckRecord, EventKind, EventRecord, Part


def event(kind: str, **more: Any) -> dict[str, Any]:
    return builders.event(kind, id="E", createdAt="2026-11-01T10:00:00Z", **more)


CORE = {"__typename": "Team", "id": "T", "databaseId": 9, "slug": "core"}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (event("ReadyForReviewEvent"), {"kind": EventKind.READY_FOR_REVIEW}),
        (event("ConvertToDraftEvent"), {"kind": EventKind.CONVERTED_TO_DRAFT}),
        (
            event("ReviewRequestedEvent", requestedReviewer=builders.user("reviewer", 7)),
            {"kind": EventKind.REVIEW_REQUESTED, "subject": "7", "subject_account": REVIEWER},
        ),
        (
            event("ReviewRequestedEvent", requestedReviewer=CORE),
            {"kind": EventKind.REVIEW_REQUESTED, "subject": "team/9", "detail": "core"},
        ),
        (event("ReviewRequestRemovedEvent", requestedReviewer=None), {"kind": EventKind.REVIEW_REQUEST_REMOVED}),
        (
            event(
                "ReviewDismissedEvent",
                previousReviewState="APPROVED",
                review={"id": "R", "fullDatabaseId": "3000000001"},
            ),
            {"kind": EventKind.REVIEW_DISMISSED, "subject": "3000000001", "previous_state": "approved"},
        ),
        (
            event("HeadRefForcePushedEvent", beforeCommit=None, afterCommit={"oid": "b" * 40}),
            {"kind": EventKind.FORCE_PUSHED, "subject": "b" * 40, "after_sha": "b" * 40},
        ),
        (event("AutoMergeEnabledEvent"), {"kind": EventKind.AUTO_MERGE_ENABLED}),
        (event("AutoSquashEnabledEvent"), {"kind": EventKind.AUTO_MERGE_ENABLED}),
        (event("AutoRebaseEnabledEvent"), {"kind": EventKind.AUTO_MERGE_ENABLED}),
        (
            event("AutoMergeDisabledEvent", reasonCode="closed"),
            {"kind": EventKind.AUTO_MERGE_DISABLED, "detail": "closed"},
        ),
        (event("AddedToMergeQueueEvent"), {"kind": EventKind.QUEUED}),
        (event("RemovedFromMergeQueueEvent", reason=None), {"kind": EventKind.DEQUEUED}),
        (event("ClosedEvent"), {"kind": EventKind.CLOSED}),
        (event("ReopenedEvent", actor=None), {"kind": EventKind.REOPENED, "actor": None}),
        (
            event("MergedEvent", commit={"oid": "c" * 40}, mergeRefName="main"),
            {"kind": EventKind.MERGED, "subject": "c" * 40, "after_sha": "c" * 40, "detail": "main"},
        ),
        (
            event("BaseRefChangedEvent", previousRefName="main", currentRefName="next"),
            {"kind": EventKind.BASE_CHANGED, "detail": "main → next"},
        ),
    ],
    ids=lambda value: value.get("__typename", ""),
)
def test_events(node, expected):
    record = mapped(timelineItems=[node])
    plain = {"occurred_at": at(1, 10), "actor": OCTOCAT, "node_id": "E"}
    assert record.events == (EventRecord(**(plain | expected)),)


def test_events_that_nothing_tells_apart_are_one():
    twice = [
        event("ClosedEvent") | {"id": "E1"},
        event("ClosedEvent") | {"id": "E2"},
        event("ReopenedEvent") | {"id": "E3"},
    ]
    record = mapped(timelineItems=twice)
    assert record.events is not None
    assert [found.kind for found in record.events] == [EventKind.CLOSED, EventKind.REOPENED]
    assert record.totals[Part.EVENTS] == 2


def context(state: str, name: str = "ci/old") -> dict[str, Any]:
    return {
        "__typename": "StatusContext",
        "id": f"SC_{name}",
        "context": name,
        "state": state,
        "createdAt": "2026-11-01T10:00:00Z",
        "targetUrl": None,
    }


def test_check_runs_and_status_contexts():
    running = {"status": "IN_PROGRESS", "conclusion": None, "completedAt": None, "checkSuite": None, "detailsUrl": None}
    record = mapped(
        contexts=[
            builders.check_run(databaseId=2**33),
            builders.check_run(databaseId=2, **running),
            context("SUCCESS"),
            context("ERROR", "ci/error"),
            context("EXPECTED", "ci/expected"),
        ]
    )
    sha, ten = builders.SHA, at(1, 10)
    url = "https://ci.example/1"
    assert record.checks == (
        CheckRecord(2**33, "tests", sha, "completed", "success", ten, at(1, 10, 5), "github-actions", "CI", 1, url),
        CheckRecord(2, "tests", sha, "in_progress", "", ten),
        CheckRecord(None, "ci/old", sha, "completed", "success", None, ten),
        CheckRecord(None, "ci/error", sha, "completed", "error", None, ten),
        CheckRecord(None, "ci/expected", sha, "pending", "", ten),
    )


def test_checks_alone():
    world = World()
    builders.pull_request(world, 1, contexts=2)
    [node] = fetch_checks(world.client(), ["PR_1"]).nodes
    found = checks_record(node)
    assert (found.pull_request_id, found.head_sha, found.total, found.partial) == (9_000_000_001, builders.SHA, 2, "")
    assert found.checks is not None
    assert len(found.checks) == 2


def test_a_deployment_with_its_statuses_the_oldest_first():
    statuses = [
        {
            "id": f"DS_{state}",
            "state": state,
            "createdAt": f"2026-11-01T10:0{minute}:00Z",
            "environmentUrl": None,
            "logUrl": "https://ci.example/log",
            "description": None,
            "creator": builders.user(),
        }
        for state, minute in (("SUCCESS", 5), ("IN_PROGRESS", 1))
    ]
    deployment = {
        "id": "D_1",
        "databaseId": 2**35,
        "commitOid": builders.SHA,
        "environment": "production",
        "latestEnvironment": "production",
        "originalEnvironment": "production",
        "state": "ACTIVE",
        "task": "deploy",
        "description": None,
        "createdAt": "2026-11-01T10:00:00Z",
        "updatedAt": "2026-11-01T10:05:00Z",
        "ref": None,
        "creator": builders.user(),
        "statuses": statuses,
    }
    world = World()
    builders.repository(world, [], deployments=[deployment])
    [node] = fetch_deployments(world.client(), owner="o", name="r").nodes
    record = deployment_record(node)
    assert (record.id, record.environment, record.state, record.is_production) == (2**35, "production", "active", None)
    assert record.statuses is not None
    assert [(status.state, status.created_at) for status in record.statuses] == [
        ("in_progress", at(1, 10, 1)),
        ("success", at(1, 10, 5)),
    ]
    assert record.statuses_total == 2
