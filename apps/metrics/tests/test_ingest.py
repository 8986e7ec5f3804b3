"""What a page of records does to the rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.metrics.factories import RepositoryFactory
from apps.metrics.models import (
    Commit,
    Label,
    LinkedIssue,
    PRCheckRun,
    PRComment,
    PREvent,
    PRFile,
    PRReview,
    PullRequest,
    PullRequestAssignee,
    PullRequestCommit,
    PullRequestLabel,
    ReviewThread,
    TeamMember,
)
from apps.metrics.queries.stored_records import records_of
from apps.metrics.records import Account, CheckRecord, CommentRecord, FileRecord, Part, PullRequestRecord
from apps.metrics.services.ingest import ingest_checks, ingest_pull_requests
from apps.metrics.tests.whole_records import BEN, LATER, NOW, hours, whole

MODELS = (
    *(Commit, Label, LinkedIssue, PRCheckRun, PRComment, PREvent, PRFile, PRReview, PullRequest, PullRequestAssignee),
    *(PullRequestCommit, PullRequestLabel, ReviewThread, TeamMember),
)


def versions() -> dict[str, list[tuple[object, ...]]]:
    """Which transaction command wrote each row last, where it lies: any rewrite changes it."""
    found = {}
    for model in MODELS:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id, ctid::text, cmin::text FROM {model._meta.db_table} ORDER BY id")
            found[model.__name__] = cursor.fetchall()
    return found


def test_what_was_stored_comes_back_as_it_was(ingest, repository):
    records = [whole(1), whole(2, merged_by=None, milestone=None, merged_at=None, state="open", labels=())]
    ingest(*records)
    stored = records_of(repository, PullRequest.objects.order_by("number").select_related("milestone"))
    assert [replace(record, checks=(), labels=()) for record in stored.values()] == [
        replace(record, checks=(), labels=()) for record in records
    ]
    assert [set(record.checks or ()) for record in stored.values()] == [set(record.checks or ()) for record in records]
    assert [set(record.labels or ()) for record in stored.values()] == [set(record.labels or ()) for record in records]


def test_it_counts_what_came_and_names_the_weeks_it_touched(ingest):
    done = ingest(whole(1))
    assert (done.inserted, done.updated, done.unchanged, done.stale) == (1, 0, 0, 0)
    assert done.rows == {
        **{"pull_requests": 1, "labels": 2, "assignees": 1, "linked_issues": 1, "reviews": 1, "threads": 1},
        **{"comments": 3, "commits": 2, "pull_request_commits": 2, "files": 1, "events": 2, "check_runs": 2},
    }
    assert done.changes == done.rows
    assert done.touched_weeks == {date(2026, 3, 2)}


def test_nothing_is_rewritten_when_nothing_changed(ingest):
    ingest(whole(1), whole(2))
    before = versions()
    done = ingest(whole(1), whole(2), at=LATER)
    assert (done.inserted, done.updated, done.unchanged) == (0, 0, 2)
    assert done.changed == 0
    assert done.touched_weeks == frozenset()
    assert versions() == before
    assert set(PullRequest.objects.values_list("synced_at", flat=True)) == {NOW}


def test_only_the_changed_row_is_rewritten_and_its_week_touched(ingest):
    ingest(whole(1), whole(2))
    late = CommentRecord(77, "issue", hours(7 * 24), BEN, "IC_77", "late")
    changed = whole(2, issue_comments=(*(whole(2).issue_comments or ()), late), updated_at=hours(170))
    done = ingest(whole(1), changed, at=LATER)
    assert {kind: count for kind, count in done.changes.items() if count} == {"pull_requests": 1, "comments": 1}
    assert done.touched_weeks == {date(2026, 3, 2), date(2026, 3, 9)}
    assert dict(PullRequest.objects.values_list("number", "synced_at")) == {1: NOW, 2: LATER}
    assert PullRequest.objects.get(number=2).total_comments == 4


@pytest.mark.parametrize(
    ("part", "model", "rows"),
    [
        (Part.LINKED_ISSUES, LinkedIssue, 1),
        (Part.REVIEWS, PRReview, 1),
        (Part.THREADS, ReviewThread, 1),
        (Part.REVIEW_COMMENTS, PRComment, 1),
        (Part.ISSUE_COMMENTS, PRComment, 2),
        (Part.COMMITS, PullRequestCommit, 2),
        (Part.FILES, PRFile, 1),
        (Part.EVENTS, PREvent, 2),
    ],
)
def test_what_a_part_no_longer_contains_is_gone_until_it_reappears(ingest, part, model, rows):
    ingest(whole(1), whole(2))
    ingest(whole(1), whole(2, **{part.value: ()}), at=LATER)
    gone = model.objects.filter(gone_at=LATER)
    assert gone.count() == rows
    assert set(gone.values_list("pull_request__number", flat=True)) == {2}
    ingest(whole(1), whole(2))
    assert not model.objects.exclude(gone_at=None).exists()


def test_fewer_than_stated_is_partial_even_where_nobody_said_so_and_takes_nothing_away(ingest):
    ingest(whole(1))
    ingest(whole(1, reviews=(), totals={"reviews": 1, "commits": 2, "comments": 3}), at=LATER)
    stored = PullRequest.objects.get()
    assert (stored.is_partial, stored.partial) == (True, {"reviews": "0 of 1 came"})
    assert PRReview.objects.filter(gone_at=None).count() == 1
    ingest(whole(1))
    assert PullRequest.objects.get().partial == {}


@pytest.mark.parametrize(("part", "model"), [(Part.LABELS, PullRequestLabel), (Part.ASSIGNEES, PullRequestAssignee)])
def test_labels_and_assignees_are_taken_off_and_put_back(ingest, part, model):
    ingest(whole(1), whole(2))
    before = model.objects.count()
    ingest(whole(1, **{part.value: ()}))
    assert set(model.objects.values_list("pull_request__number", flat=True)) == {2}
    ingest(whole(1))
    assert model.objects.count() == before


@pytest.mark.parametrize("why", ["missing", "partial", "capped"])
def test_a_part_that_is_not_whole_takes_nothing_away_and_counts_with_what_is_stored(ingest, why):
    ingest(whole(1))
    before = {model: model.objects.count() for model in MODELS}
    thin = whole(1, updated_at=hours(60))
    if why == "missing":
        thin = replace(thin, **{part.value: None for part in Part})
    else:
        thin = replace(thin, **{part.value: () for part in Part}, **{why: dict.fromkeys(Part, "the API broke")})
    ingest(thin, at=LATER)
    assert {model: model.objects.count() for model in MODELS} == before
    assert not PRComment.objects.exclude(gone_at=None).exists()
    stored = PullRequest.objects.get()
    assert (stored.total_comments, stored.human_comments, stored.ci_status) == (3, 2, "success")
    assert (stored.first_review_at, stored.first_commit_at) == (hours(5), hours(-3))
    assert stored.is_partial == (why == "partial")
    assert stored.totals == {"reviews": 1, "commits": 2}


def test_a_short_part_adds_what_it_has(ingest):
    ingest(whole(1))
    more = CommentRecord(5, "issue", hours(8), BEN)
    ingest(whole(1, issue_comments=(more,), partial={Part.ISSUE_COMMENTS: "page 2 failed"}))
    stored = PullRequest.objects.get()
    assert (stored.total_comments, stored.partial, stored.is_partial) == (4, {"issue_comments": "page 2 failed"}, True)


def test_what_nobody_fetched_yet_makes_a_new_pull_request_partial(ingest):
    ingest(whole(1, files=None))
    assert PullRequest.objects.get().partial == {"files": "not fetched yet"}
    ingest(whole(1))
    assert PullRequest.objects.get().partial == {}
    ingest(whole(1, files=None))
    assert not PullRequest.objects.get().is_partial


def test_a_thin_record_keeps_the_sizes_that_are_known(ingest):
    ingest(whole(1))
    thin = whole(1, additions=None, deletions=None, changed_files=None, merged_by=None, updated_at=hours(60))
    ingest(thin)
    stored = PullRequest.objects.get()
    assert (stored.additions, stored.deletions, stored.changed_files, stored.size) == (30, 4, 1, "S")
    assert stored.merged_by.login == "ben"


def test_an_older_record_changes_nothing(ingest):
    ingest(whole(1))
    before = versions()
    renamed = Account(1, "anna-before", "U_1")
    done = ingest(whole(1, title="before", author=renamed, reviews=(), updated_at=hours(49)), at=LATER)
    assert (done.stale, done.changed) == (1, 0)
    assert versions() == before


def test_a_comment_that_was_edited_later_stays(ingest):
    (comment,) = whole(1).review_comments or ()
    ingest(whole(1, review_comments=(replace(comment, body="edited", updated_at=hours(9)),)))
    ingest(whole(1))
    assert PRComment.objects.get(comment_type="review").body == "edited"


def test_a_shared_commit_is_one_row_of_two_pull_requests(ingest):
    shared = whole(1).commits or ()
    ingest(whole(1), whole(2, commits=shared))
    assert Commit.objects.count() == 2
    assert [pr.commits.count() for pr in PullRequest.objects.all()] == [2, 2]
    ingest(whole(1, commits=shared[:1]))
    assert PullRequestCommit.objects.filter(gone_at=None).count() == 3
    assert not Commit.objects.exclude(gone_at=None).exists()


def test_commits_keep_their_order(ingest):
    ingest(whole(1))
    ingest(whole(1, commits=tuple(reversed(whole(1).commits or ()))))
    links = PullRequestCommit.objects.order_by("position").values_list("commit__message", flat=True)
    assert list(links) == ["two", "one"]


def test_ids_never_move_to_another_pull_request(ingest):
    ingest(whole(1))
    ingest(whole(2, **{part: getattr(whole(1), part) for part in ("reviews", "issue_comments", "threads")}))
    for model in (PRReview, PRComment, ReviewThread):
        rows = model.objects.filter(gone_at=None).exclude(body="why?") if model is PRComment else model.objects.all()
        assert set(rows.values_list("pull_request__number", flat=True)) == {1}


def test_the_rows_of_two_repositories_do_not_meet(ingest, team):
    other = RepositoryFactory(team=team, full_name="acme/web")
    ingest(whole(1))
    ingest_pull_requests(other, [whole(1, id=5, reviews=(), issue_comments=(), threads=())], synced_at=NOW)
    assert PullRequest.objects.count() == 2
    assert Commit.objects.count() == 4
    assert Label.objects.count() == 4
    assert PRReview.objects.get().gone_at is None


def test_the_name_of_the_repository_follows_a_rename(ingest, repository):
    ingest(whole(1))
    repository.full_name = "acme/backend"
    repository.save()
    ingest(whole(1))
    assert PullRequest.objects.get().github_repo == "acme/backend"


def test_an_ended_check_does_not_begin_again(ingest, repository):
    ingest(whole(1))
    run = (whole(1).checks or ())[0]
    late = replace(run, status="in_progress", conclusion="", completed_at=None)
    assert ingest_checks(repository, [late], synced_at=NOW).changed == 0
    assert set(PRCheckRun.objects.values_list("status", flat=True)) == {"completed"}


def test_a_check_that_comes_alone_changes_what_the_pull_request_says(ingest, repository, django_assert_num_queries):
    ingest(whole(1))
    failed = CheckRecord(99, "lint", f"{1:040x}", "completed", "failure", hours(2), hours(3), "CI", "ci")
    done = ingest_checks(repository, [failed], synced_at=LATER)
    assert (done.changed, done.touched_weeks) == (1, {date(2026, 3, 2)})
    stored = PullRequest.objects.get()
    assert (stored.ci_status, stored.synced_at, stored.check_runs.count()) == ("failure", LATER, 3)
    with django_assert_num_queries(1):
        assert ingest_checks(repository, [failed], synced_at=LATER).changed == 0


def test_the_number_of_statements_does_not_depend_on_the_rows(ingest):
    def count(*records: PullRequestRecord) -> int:
        with CaptureQueriesContext(connection) as queries:
            ingest(*records)
        return len(queries)

    def busy(number: int) -> PullRequestRecord:
        return whole(
            number,
            title='Revert "x"' if number % 2 else f"Change {number}",
            files=tuple(FileRecord(f"src/{n}.py", "added", 1, 0) for n in range(50)),
            issue_comments=tuple(CommentRecord(1000 * number + n, "issue", hours(n), BEN) for n in range(50)),
        )

    many = [busy(number) for number in range(10, 40)]
    assert count(whole(1, title='Revert "x"')) == 27  # with the people, labels and the milestone
    assert count(whole(2)) == 21
    assert count(*many) == 21
    assert count(*many) == 30  # what is gone is looked for as well
    assert count(many[0]) == 30
    thin = [replace(record, **{part.value: None for part in Part}) for record in many]
    assert count(*thin) == count(*thin[:1]) <= 29


def test_a_page_of_nothing_is_nothing(ingest):
    assert ingest().changed == 0
