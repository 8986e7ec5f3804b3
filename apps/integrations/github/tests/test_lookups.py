"""Who a token is and what it may see."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.integrations.github import lookups
from apps.integrations.github.errors import RepositoryGone
from apps.integrations.github.types import Identity, Member, Organization, RemoteRepository

REPOSITORY = {
    "id": 1296269,
    "node_id": "R_1",
    "full_name": "acme/rocket",
    "default_branch": "main",
    "description": None,
    "language": "Python",
    "private": True,
    "archived": False,
    "fork": True,
    "disabled": False,
    "permissions": {"admin": True},
    "pushed_at": "2026-11-19T10:00:00Z",
    "open_issues_count": 12,
}
REMOTE = RemoteRepository(
    id=1296269,
    node_id="R_1",
    full_name="acme/rocket",
    default_branch="main",
    language="Python",
    is_private=True,
    is_fork=True,
    can_admin=True,
    pushed_at=datetime(2026, 11, 19, 10, tzinfo=UTC),
)


def test_it_says_whom_a_token_speaks_for_and_its_scopes(server, rest):
    user = {"id": 1, "login": "octocat", "name": None, "avatar_url": "https://a"}
    server.on("GET /user", user, X_OAuth_Scopes="repo, read:org")
    assert lookups.whoami(rest) == Identity(1, "octocat", "", "https://a", frozenset({"repo", "read:org"}))


def test_a_fine_grained_token_has_no_scopes_and_a_powerless_one_has_an_empty_set(server, rest):
    server.on("GET /user", {"id": 1, "login": "octocat"})
    assert lookups.whoami(rest).scopes is None
    server.routes.clear()
    server.on("GET /user", {"id": 1, "login": "octocat"}, X_OAuth_Scopes="")
    assert lookups.whoami(rest).scopes == frozenset()


def test_it_lists_organisations(server, rest):
    server.on("GET /user/orgs", [{"id": 9, "login": "acme", "node_id": "O", "avatar_url": "a", "description": None}])
    assert lookups.organizations(rest) == [Organization(9, "acme", "O", "a", "")]


@pytest.mark.parametrize(
    ("membership", "role"),
    [
        ({"role": "admin", "state": "active"}, "admin"),
        ({"role": "member", "state": "active"}, "member"),
        ({"role": "admin", "state": "pending"}, ""),
    ],
)
def test_it_tells_the_role_in_an_organisation(server, rest, membership, role):
    server.on("GET /user/memberships/orgs/acme", membership)
    assert lookups.membership_role(rest, "acme") == role


def test_an_outsider_has_no_role(server, rest):
    assert lookups.membership_role(rest, "acme") == ""
    server.on("GET /user/memberships/orgs/acme", {"message": "You must be a member"}, status=403)
    assert lookups.membership_role(rest, "acme") == ""


def test_it_lists_members_with_their_roles(server, rest):
    def members(asked):
        number = 1 if asked.parameters["role"] == "admin" else 2
        return 200, {}, [{"id": number, "login": f"u{number}", "node_id": "U", "avatar_url": "a"}]

    server.routes["GET /orgs/acme/members"] = [members]
    assert list(lookups.members(rest, "acme")) == [
        Member(1, "u1", "U", "a", "admin"),
        Member(2, "u2", "U", "a", "member"),
    ]


def test_it_lists_an_organisations_repositories_page_by_page(server, rest):
    following = f"{server.url}/orgs/acme/repos?page=2"
    server.routes["GET /orgs/acme/repos"] = [
        (200, {"Link": f'<{following}>; rel="next"'}, [REPOSITORY]),
        (200, {}, [REPOSITORY | {"id": 2, "pushed_at": None}]),
    ]
    pages = list(lookups.list_repositories(rest, "acme"))
    assert pages[0] == [REMOTE]
    assert (pages[1][0].id, pages[1][0].pushed_at) == (2, None)


def test_it_lists_what_the_user_works_on(server, rest):
    server.on("GET /user/repos", [REPOSITORY])
    assert list(lookups.list_repositories(rest)) == [[REMOTE]]
    assert server.asked[0].parameters["affiliation"] == "owner,collaborator"


def test_it_lists_what_an_installation_was_given(server, rest):
    server.on("GET /installation/repositories", {"total_count": 1, "repositories": [REPOSITORY]})
    assert list(lookups.list_installation_repositories(rest)) == [[REMOTE]]


def test_a_repository_is_found_by_name_and_by_id(server, rest):
    server.on("GET /repos/acme/rocket", REPOSITORY)
    server.on("GET /repositories/1296269", REPOSITORY)
    assert lookups.get_repository(rest, "acme/rocket") == lookups.get_repository_by_id(rest, 1296269) == REMOTE
    assert (REMOTE.owner, REMOTE.name) == ("acme", "rocket")


def test_a_former_name_leads_to_the_repository(server, rest):
    server.on("GET /repos/acme/old", {}, status=301, Location=f"{server.url}/repositories/1296269")
    server.on("GET /repositories/1296269", REPOSITORY)
    assert lookups.get_repository(rest, "acme/old").full_name == "acme/rocket"


def test_a_repository_that_is_gone_is_named(server, rest):
    with pytest.raises(RepositoryGone, match="acme/rocket"):
        lookups.get_repository(rest, "acme/rocket")
