"""Every way in which GitHub refuses what was asked, and the error that each becomes."""

from __future__ import annotations

import pytest

from apps.integrations.github.errors import (
    FeatureGone,
    GitHubError,
    IpNotAllowed,
    NotFound,
    PermissionMissing,
    QueryRejected,
    RepositoryBlocked,
    RepositoryGone,
    SsoRequired,
    Unavailable,
)
from apps.integrations.github.tests.answers import answering, failing, raised, refused
from apps.integrations.github.transport import Response


def test_a_repository_that_is_not_found_is_gone():
    error = {"type": "NOT_FOUND", "message": "Could not resolve to a Repository", "path": ["repository"]}
    found = raised(failing(error, data={"repository": None}), operation="pr_ids", owner="o", name="r")
    assert isinstance(found, RepositoryGone)
    assert found.what == "o/r"


def test_an_organisation_that_is_not_found_is_named():
    error = {"type": "NOT_FOUND", "message": "Could not resolve", "path": ["organization"]}
    found = raised(failing(error, data={"organization": None}), operation="teams", login="acme")
    assert isinstance(found, NotFound)
    assert found.what == "acme"


def test_a_forbidden_connection_is_a_missing_permission():
    error = {
        "type": "FORBIDDEN",
        "message": "Resource not accessible by integration",
        "path": ["repository", "deployments"],
    }
    found = raised(
        failing(error, data={"repository": {"deployments": None}}), operation="deployments", owner="o", name="r"
    )
    assert isinstance(found, PermissionMissing)
    assert found.name == "deployments"


def test_missing_scopes_are_named():
    error = {
        "type": "INSUFFICIENT_SCOPES",
        "message": "Your token has not been granted the required scopes to execute this query. The 'teams' field "
        "requires one of the following scopes: ['read:org', 'repo'], but your token has only: [''].",
    }
    found = raised(failing(error))
    assert isinstance(found, PermissionMissing)
    assert found.name == "read:org, repo"


@pytest.mark.parametrize(
    "answer",
    [
        failing(
            {"type": "FORBIDDEN", "path": ["repository"], "message": "x", "extensions": {"saml_failure": True}},
            data={"repository": None},
        ),
        failing(
            {
                "type": "FORBIDDEN",
                "path": ["repository"],
                "message": "Resource protected by organization SAML enforcement. You must grant access.",
            },
            data={"repository": None},
        ),
        refused(403, "Resource protected by organization SAML enforcement."),
    ],
)
def test_single_sign_on_is_asked_for(answer):
    assert isinstance(raised(answer), SsoRequired)


def test_single_sign_on_says_where():
    url = "https://github.com/orgs/acme/sso?authorization_request=1"
    error = raised(refused(403, "x", x_github_sso=f"required; url={url}"))
    assert isinstance(error, SsoRequired)
    assert error.url == url
    assert url in str(error)


def test_an_ip_allow_list_is_named():
    message = "Although you appear to have the correct credentials, the `acme` organization has an IP allow list"
    assert isinstance(raised(refused(403, f"{message} enabled")), IpNotAllowed)


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (410, FeatureGone), (451, RepositoryBlocked), (400, QueryRejected)]
)
def test_other_refusals_are_named(status, error):
    assert isinstance(raised(refused(status, "no")), error)


def test_403_names_the_permission_that_a_fine_grained_token_lacks():
    error = raised(
        refused(403, "Resource not accessible by personal access token", x_accepted_github_permissions="checks=read")
    )
    assert isinstance(error, PermissionMissing)
    assert error.name == "checks=read"


def test_an_invalid_query_is_rejected_with_githubs_words():
    message = "Field 'nope' doesn't exist on type 'Query'"
    error = raised(failing({"message": message, "extensions": {"code": "undefinedField"}}))
    assert isinstance(error, QueryRejected)
    assert message in str(error)


PAGE = b"<!DOCTYPE html><html><title>Sign in to the proxy</title></html>"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_page_of_a_proxy_says_nothing_of_github(status):
    assert isinstance(raised(Response(status, {}, PAGE)), Unavailable)


@pytest.mark.parametrize(
    "answer",
    [
        Response(422, {}, rb'{"message": "no \u0000 such \ud800 thing"}'),
        Response(200, {}, rb'{"errors": [{"message": "no \u0000 such \ud800 thing"}]}'),
    ],
)
def test_what_github_says_can_be_stored(answer):
    with pytest.raises(GitHubError) as caught:
        answering(answer).run("pr_ids")
    assert "\x00" not in str(caught.value)
    str(caught.value).encode()
