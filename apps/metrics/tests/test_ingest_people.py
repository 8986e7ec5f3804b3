"""Who the people of a page of records are, and what a later page says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from apps.metrics.factories import TeamMemberFactory
from apps.metrics.models import PullRequest, TeamMember
from apps.metrics.records import Account
from apps.metrics.tests.whole_records import whole


def test_renames_are_followed_and_marks_kept(ingest):
    ingest(whole(1))
    TeamMember.objects.filter(login="ben").update(marked_bot=True)
    ben = Account(2, "benjamin", "U_2", "Ben")
    review = replace((whole(1).reviews or ())[0], author=ben)
    done = ingest(whole(1, reviews=(review,), merged_by=ben, review_comments=(), threads=(), events=()))
    member = TeamMember.objects.get(github_user_id=2)
    assert (member.login, member.name, member.marked_bot) == ("benjamin", "Ben", True)
    assert PullRequest.objects.get().first_review_at is None
    assert done.touched_weeks == {date(2026, 3, 2)}


def test_the_teams_mark_counts_when_a_pull_request_arrives(ingest, team):
    TeamMemberFactory(team=team, github_user_id=3, login="fixer", is_bot=True, marked_bot=False)
    ingest(whole(1))
    assert PullRequest.objects.get().human_comments == 3


def test_deleted_accounts_and_those_without_an_id_are_nobody(ingest):
    ghost, nameless = Account(10137, "ghost"), Account(None, "someone")
    ingest(whole(1, author=None, merged_by=nameless, assignees=(nameless, ghost), issue_comments=()))
    stored = PullRequest.objects.get()
    assert (stored.author, stored.merged_by, stored.assignees.count()) == (None, None, 0)
    assert set(TeamMember.objects.values_list("login", flat=True)) == {"anna", "ben"}


def test_a_known_name_is_not_lost_where_the_source_tells_less(ingest):
    ingest(whole(1))
    ingest(whole(1, author=Account(1, "anna"), commits=(), events=(), assignees=(), issue_comments=()))
    assert TeamMember.objects.values_list("name", "node_id", "avatar_url").get(login="anna") == (
        "Anna",
        "U_1",
        "https://a.example/1",
    )
