"""Accounts become members, and who of them is a bot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.metrics.models import TeamMember
from apps.metrics.records import Account
from apps.metrics.services.members import ensure_members, marked_bots, resolve_members

pytestmark = pytest.mark.usefixtures("scope")

ANNA = Account(1, "anna", "U_1", "Anna", "https://a.example/1")


def test_it_answers_the_primary_keys_by_the_sources_ids():
    ids = ensure_members([ANNA, Account(2, "ben"), ANNA])
    assert ids == dict(TeamMember.objects.values_list("github_user_id", "pk"))
    assert ids.keys() == {1, 2}


def test_known_members_cost_one_statement(django_assert_num_queries):
    everybody = [Account(n, f"dev-{n}") for n in range(1, 200)]
    ensure_members(everybody)
    with django_assert_num_queries(1):
        ensure_members(everybody)
    with django_assert_num_queries(3):
        ensure_members([*everybody, Account(777, "new")])


def test_a_rename_is_followed_and_what_is_not_said_is_kept():
    ensure_members([ANNA])
    ensure_members([Account(1, "anna-new")])
    member = TeamMember.objects.get()
    assert (member.login, member.node_id, member.name, member.avatar_url) == (
        "anna-new",
        "U_1",
        "Anna",
        "https://a.example/1",
    )


def test_the_same_picture_by_another_way_is_nothing_new(django_assert_num_queries):
    anna = replace(ANNA, avatar_url="https://a.example/1?s=64&u=b7&v=4")
    ensure_members([anna])
    with django_assert_num_queries(1):
        ensure_members([replace(anna, avatar_url="https://a.example/1?s=64&v=4")])
    ensure_members([replace(anna, avatar_url="https://a.example/other?v=4")])
    assert TeamMember.objects.get().avatar_url == "https://a.example/other?v=4"


def test_two_people_may_swap_their_logins():
    ensure_members([Account(1, "a"), Account(2, "b")])
    ensure_members([Account(1, "b"), Account(2, "a")])
    assert dict(TeamMember.objects.values_list("github_user_id", "login")) == {1: "b", 2: "a"}


@pytest.mark.parametrize(
    ("account", "marked", "is_bot"),
    [
        (Account(1, "anna"), None, False),
        (Account(1, "renovate", is_bot=True), None, True),
        (Account(1, "renovate[bot]"), None, True),
        (Account(1, "anna"), True, True),
        (Account(1, "renovate[bot]", is_bot=True), False, False),
    ],
)
def test_the_teams_mark_wins_over_the_sources_word(account, marked, is_bot):
    ensure_members([account])
    TeamMember.objects.update(marked_bot=marked)
    assert resolve_members([account])(account) is is_bot
    assert TeamMember.objects.get().counts_as_bot is is_bot
    assert marked_bots()(account) is is_bot


def test_who_was_a_bot_once_stays_one_where_a_source_does_not_know():
    ensure_members([Account(1, "helper", is_bot=True)])
    assert resolve_members([Account(1, "helper")])(Account(1, "helper")) is True


def test_nobody_is_human():
    members = resolve_members([])
    assert members(None) is False
    assert members(Account(None, "someone")) is False
    assert (members.id_of(None), members.id_of(Account(None, "someone"))) == (None, None)
