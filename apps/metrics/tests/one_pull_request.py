"""A pull request that tells a whole life, and what its page is made of once it was ingested."""

from datetime import UTC, datetime, timedelta

from apps.metrics.factories import RepositoryFactory
from apps.metrics.queries.pull_request import pull_request_page
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
)
from apps.metrics.services.ingest import ingest_pull_requests
from apps.metrics.tests.pages import ALWAYS
from apps.teams.scope import team_scope

PRIYA, MIRA, SAM, JONAS = (
    Account(count, login, name=name)
    for count, (login, name) in enumerate(
        (("pnair", "Priya Nair"), ("mokafor", "Mira Okafor"), ("schen", "Sam Chen"), ("jweber", "Jonas Weber")), start=1
    )
)
ROBOT = Account(9, "robot[bot]", is_bot=True)
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def commit(sha: str, when: datetime, message: str = "Work") -> CommitRecord:
    return CommitRecord(sha=sha * 40, authored_at=when, committed_at=when, message=message, author=PRIYA)


def asked(who: Account, when: datetime) -> EventRecord:
    return EventRecord(EventKind.REVIEW_REQUESTED, when, PRIYA, subject=who.login, subject_account=who)


def check(number: int, name: str, sha: str, when: datetime, conclusion: str = "success") -> CheckRecord:
    return CheckRecord(number, name, sha * 40, "completed", conclusion, when, when + timedelta(minutes=11), app="ci")


def record(**changed: object) -> PullRequestRecord:
    """Wed 11 Mar 10:00 first commit · Thu 11:00 opened as a draft, 12:00 ready · Mon 16 Mar 10:00 changes asked,
    14:00 fix · Tue 15:00 approved · Wed 18 Mar 10:30 merged."""
    fields: dict[str, object] = {
        "id": 1,
        "number": 2291,
        "node_id": "PR_1",
        "title": "Retry webhooks",
        "state": "merged",
        "is_draft": False,
        "author": PRIYA,
        "created_at": moment(12, 11),
        "updated_at": moment(18, 10, 30),
        "merged_at": moment(18, 10, 30),
        "merged_by": PRIYA,
        "url": "https://github.com/acme/api/pull/2291",
        "additions": 318,
        "deletions": 94,
        "changed_files": 2,
        "base_ref": "main",
        "head_ref": "retry",
        "head_sha": "c" * 40,
        "merge_commit_sha": "7" * 40,
        "labels": (LabelRecord("webhooks"),),
        "milestone": MilestoneRecord(3, "Reliability Q1"),
        "assignees": (PRIYA,),
        "linked_issues": (LinkedIssueRecord("acme/api", 2207), LinkedIssueRecord("acme/web", 5)),
        "commits": (
            commit("a", moment(11, 10)),
            commit("b", moment(11, 11)),
            commit("c", moment(16, 14), "Cap the delay"),
        ),
        "reviews": (
            ReviewRecord(1, "changes_requested", moment(16, 10), MIRA),
            ReviewRecord(2, "approved", moment(17, 15), SAM),
            ReviewRecord(3, "commented", moment(12, 13), ROBOT),
        ),
        "review_comments": (
            CommentRecord(1, "review", moment(16, 10), MIRA, review_id=1),
            CommentRecord(2, "review", moment(16, 10), MIRA, review_id=1),
        ),
        "issue_comments": (
            CommentRecord(3, "issue", moment(17, 9), SAM),
            CommentRecord(4, "issue", moment(17, 10), PRIYA),
            CommentRecord(5, "issue", moment(17, 11), ROBOT),
        ),
        "events": (
            EventRecord(EventKind.READY_FOR_REVIEW, moment(12, 12), PRIYA),
            asked(JONAS, moment(12, 12, 1)),
            asked(MIRA, moment(12, 12, 1)),
            EventRecord(EventKind.MERGED, moment(18, 10, 30), PRIYA),
            EventRecord(EventKind.CLOSED, moment(18, 10, 30), PRIYA),
        ),
        "checks": (
            check(1, "unit", "b", moment(11, 11, 2), "failure"),
            check(2, "lint", "b", moment(11, 11, 2)),
            check(3, "unit", "c", moment(16, 14, 2)),
        ),
        "files": (FileRecord("a.py", "modified", 300, 90), FileRecord("b.py", "modified", 18, 4)),
    }
    return PullRequestRecord(**(fields | changed))  # type: ignore[arg-type]


def stored(team, *records):
    with team_scope(team.pk):
        repository = RepositoryFactory.create(full_name="acme/api", covered_from=ALWAYS)
        ingest_pull_requests(repository, records or (record(),), synced_at=NOW)
    return repository


def page_of(team, time_zone="UTC"):
    with team_scope(team.pk):
        return pull_request_page("acme", "api", 2291, time_zone=time_zone, now=NOW)


def lines_of(page):
    """(day, hour, what the line says) of the whole list."""
    said = []
    for day in page.story.days:
        for line in day.lines:
            words = " ".join(part for part in (line.text, line.strong, line.code, line.tail, line.muted) if part)
            said.append((day.date.day, line.at.astimezone(page.zone).hour, words))
    return said
