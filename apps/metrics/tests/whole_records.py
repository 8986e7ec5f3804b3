"""A pull request's record with one or two of everything, as the sync hands it to the rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    EventKind,
    EventRecord,
    FileRecord,
    LabelRecord,
    LinkedIssueRecord,
    MilestoneRecord,
    PullRequestRecord,
    ReviewRecord,
    ThreadRecord,
)

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ANNA, BEN = Account(1, "anna", "U_1", "Anna", "https://a.example/1"), Account(2, "ben", "U_2")
ROBOT = Account(3, "fixer", "B_3", is_bot=True)
SHA = "a" * 40


def hours(number: float) -> datetime:
    return MONDAY + timedelta(hours=number)


def whole(number: int = 1, **changes) -> PullRequestRecord:
    """Merged after two days, with one or two of everything."""
    base = 10_000_000_000 + 100 * number
    record = PullRequestRecord(
        id=base,
        number=number,
        node_id=f"PR_{number}",
        title=f"Change {number}",
        state="merged",
        is_draft=False,
        author=ANNA,
        created_at=MONDAY,
        updated_at=hours(50),
        body="because",
        url=f"https://github.com/acme/api/pull/{number}",
        merged_by=BEN,
        closed_at=hours(48),
        merged_at=hours(48),
        additions=30,
        deletions=4,
        changed_files=1,
        base_ref="main",
        head_ref=f"change-{number}",
        head_sha=f"{number:040x}",
        head_repository="acme/api",
        merge_commit_sha=f"{base:040x}",
        milestone=MilestoneRecord(1, "v1", due_at=hours(500), node_id="MI_1"),
        labels=(LabelRecord("bug", "ff0000", "LA_1"), LabelRecord("api", "00ff00", "LA_2")),
        assignees=(ANNA,),
        linked_issues=(LinkedIssueRecord("acme/api", 900, "It breaks", "https://github.com/acme/api/issues/900"),),
        reviews=(ReviewRecord(base + 1, "approved", hours(5), BEN, f"R_{number}", "fine", SHA, hours(5)),),
        threads=(ThreadRecord(f"T_{number}", True, False, "src/a.py", 3, BEN),),
        review_comments=(
            CommentRecord(
                base + 2,
                "review",
                hours(4),
                BEN,
                f"RC_{number}",
                "why?",
                hours(4),
                "src/a.py",
                3,
                None,
                None,
                f"T_{number}",
            ),
        ),
        issue_comments=(
            CommentRecord(base + 3, "issue", hours(6), ANNA, f"IC_{number}", "thanks", hours(6)),
            CommentRecord(base + 4, "issue", hours(7), ROBOT, f"IC_{number}b", "beep", hours(7)),
        ),
        commits=(
            CommitRecord(f"{number:039x}1", hours(-3), hours(-3), "one", ANNA, "Anna", "a@x.example", ANNA, 20, 2, 1),
            CommitRecord(f"{number:039x}2", hours(-2), hours(-2), "two", ANNA, "Anna", "a@x.example", ANNA, 10, 2, 1),
        ),
        files=(FileRecord("src/a.py", "modified", 30, 4),),
        events=(
            EventRecord(EventKind.REVIEW_REQUESTED, hours(1), ANNA, "ben", BEN, f"E_{number}"),
            EventRecord(EventKind.MERGED, hours(48), BEN, after_sha=SHA, node_id=f"M_{number}"),
        ),
        checks=(
            CheckRecord(base + 5, "test", f"{number:040x}", "completed", "success", hours(1), hours(1.5), "CI", "ci"),
            CheckRecord(None, "ci/legacy", f"{number:040x}", "completed", "success", None, hours(2)),
        ),
    )
    changed = replace(record, **changes)
    stated = {"reviews": len(changed.reviews or ()), "commits": len(changed.commits or ())}
    return replace(changed, totals=changes.get("totals", stated))
