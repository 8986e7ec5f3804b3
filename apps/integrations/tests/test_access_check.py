"""Checking a token: whose it is, what it opens, what it lacks."""

from __future__ import annotations

import pytest

from apps.integrations.github.errors import BadCredentials
from apps.integrations.services.access_check import (
    AccessRefused,
    GrantedAccess,
    check_account,
    check_token,
    missing_scopes,
)
from apps.integrations.services.github_rest import rest_with


def checked(token, **options):
    return check_token(token, rest=rest_with(token), **options)


def test_it_says_whose_the_token_is_and_what_it_opens(sandbox):
    access = checked("sandbox-token")
    assert (access.identity_login, access.identity_id) == ("sandbox-owner", 9_000_000_001)
    assert [account.login for account in access.organizations] == ["acme"]
    assert access.personal.login == "sandbox-owner"
    assert access.notes == ()


def test_a_token_without_scopes_is_refused_with_what_is_missing(sandbox):
    with pytest.raises(AccessRefused, match=r"the scopes “repo”.*“read:org”.*admin:repo_hook"):
        checked("sandbox-noscope")


def test_a_token_that_may_not_hook_is_taken_with_a_note(sandbox):
    (note,) = checked("sandbox-readonly").notes
    assert "admin:repo_hook" in note


def test_somebody_without_organisation_has_their_own_account(sandbox):
    access = checked("sandbox-noorg")
    assert access.organizations == ()
    assert access.personal.login == "sandbox-loner"


def test_an_organisation_that_is_not_the_tokens_is_refused(sandbox):
    with pytest.raises(AccessRefused, match="does not see the organisation “acme”"):
        checked("sandbox-noorg", login="acme")


def test_a_mistyped_token_is_bad_credentials(sandbox):
    with pytest.raises(BadCredentials):
        checked("nonsense")


def test_an_account_is_tried_before_anything_is_stored(sandbox):
    access = checked("sandbox-token")
    check_account(access.organizations[0], rest=rest_with("sandbox-token"))
    check_account(access.personal, rest=rest_with("sandbox-token"))


def test_it_survives_the_way_through_the_session(sandbox):
    access = checked("sandbox-token")
    assert GrantedAccess.from_json(access.as_json()) == access


def test_the_token_is_in_no_repr(sandbox):
    assert "sandbox-token" not in repr(checked("sandbox-token"))


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        (None, ()),
        (["repo", "read:org"], ()),
        (["repo", "admin:org"], ()),
        (["public_repo", "write:org"], ()),
        (["repo"], ("read:org",)),
        (["read:org"], ("repo",)),
        (["repo:status", "read:org"], ("repo",)),
        ([], ("repo", "read:org")),
    ],
)
def test_scopes_imply_others_as_github_says(scopes, missing):
    assert missing_scopes(scopes) == missing
