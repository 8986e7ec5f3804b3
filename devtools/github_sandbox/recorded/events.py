"""Recorded issue events as timeline items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devtools.github_sandbox.entities import PullRequest, TimelineEvent

if TYPE_CHECKING:
    from devtools.github_sandbox.recorded.repository import RecordedRepository

TYPENAMES = {
    "added_to_merge_queue": "AddedToMergeQueueEvent",
    "assigned": "AssignedEvent",
    "auto_merge_disabled": "AutoMergeDisabledEvent",
    "auto_merge_enabled": "AutoMergeEnabledEvent",
    "auto_squash_enabled": "AutoSquashEnabledEvent",
    "auto_rebase_enabled": "AutoRebaseEnabledEvent",
    "base_ref_changed": "BaseRefChangedEvent",
    "base_ref_force_pushed": "BaseRefForcePushedEvent",
    "closed": "ClosedEvent",
    "comment_deleted": "CommentDeletedEvent",
    "connected": "ConnectedEvent",
    "convert_to_draft": "ConvertToDraftEvent",
    "converted_to_draft": "ConvertToDraftEvent",
    "demilestoned": "DemilestonedEvent",
    "head_ref_deleted": "HeadRefDeletedEvent",
    "head_ref_force_pushed": "HeadRefForcePushedEvent",
    "head_ref_restored": "HeadRefRestoredEvent",
    "labeled": "LabeledEvent",
    "locked": "LockedEvent",
    "merged": "MergedEvent",
    "milestoned": "MilestonedEvent",
    "ready_for_review": "ReadyForReviewEvent",
    "referenced": "ReferencedEvent",
    "removed_from_merge_queue": "RemovedFromMergeQueueEvent",
    "renamed": "RenamedTitleEvent",
    "reopened": "ReopenedEvent",
    "review_dismissed": "ReviewDismissedEvent",
    "review_request_removed": "ReviewRequestRemovedEvent",
    "review_requested": "ReviewRequestedEvent",
    "unassigned": "UnassignedEvent",
    "unlabeled": "UnlabeledEvent",
    "unlocked": "UnlockedEvent",
}
"""REST's event names; what is not here (`user_blocked`, `copilot_work_started`) is in REST only."""


def load_events(source: RecordedRepository) -> None:
    for number, rows in source.by_pull("issue_events").items():
        pull = source.contents.pulls[number]
        rows.sort(key=lambda row: (row["created_at"], row["id"]))
        pull.events = [_event(source, row, pull) for row in rows]
        source.remember(pull.events)


def _event(source: RecordedRepository, data: dict[str, Any], pull: PullRequest) -> TimelineEvent:
    kind = data["event"]
    return TimelineEvent(
        typename=TYPENAMES.get(kind, "RestOnlyEvent"),
        kind=kind,
        database_id=data["id"],
        id=data["node_id"],
        created_at=data["created_at"],
        actor=source.account(data.get("actor")),
        pull_request=pull,
        details=_details(source, data, pull),
    )


def _details(source: RecordedRepository, data: dict[str, Any], pull: PullRequest) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if data.get("commit_id"):
        key = "after_oid" if data["event"].endswith("force_pushed") else "commit_oid"
        details[key] = data["commit_id"]
    if "requested_reviewer" in data or "requested_team" in data:
        team = data.get("requested_team")
        details["requested_reviewer"] = source.team(team) if team else source.account(data.get("requested_reviewer"))
    if "assignee" in data:
        details["assignee"] = source.account(data["assignee"])
    if "label" in data:
        details["label"] = source.label(data["label"])
    if "milestone" in data:
        details["milestone_title"] = data["milestone"]["title"]
    if "rename" in data:
        details |= {"previous_title": data["rename"]["from"], "current_title": data["rename"]["to"]}
    if data["event"].startswith("head_ref_"):
        details["head_ref_name"] = pull.head_ref_name
    if data["event"] == "merged":
        details["merge_ref_name"] = pull.base_ref_name
    if "dismissed_review" in data:
        details |= _dismissal(data["dismissed_review"], pull)
    return details


def _dismissal(dismissed: dict[str, Any], pull: PullRequest) -> dict[str, Any]:
    review = next((review for review in pull.reviews if review.database_id == dismissed["review_id"]), None)
    return {
        "previous_review_state": dismissed["state"].upper(),
        "dismissal_message": dismissed.get("dismissal_message"),
        "review": review,
    }
