"""Repositories, people and organisations that move, hide or vanish, each by `/_sandbox/mutate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devtools.github_sandbox.tests.conftest import Client

NAMED = 'query {{ repository(owner: "{0}", name: "{1}") {{ nameWithOwner databaseId isArchived isPrivate }} }}'
AsToken = Callable[[str], Client]


def by_name(client: Client, owner: str = "acme", name: str = "shop") -> dict[str, Any]:
    return client.graphql(NAMED.format(owner, name))


def repository_id(client: Client) -> tuple[int, str]:
    data = client.get("/repos/acme/shop").json()
    return data["id"], data["node_id"]


def first_pull(client: Client) -> dict[str, Any]:
    pull: dict[str, Any] = client.get("/repos/acme/shop/pulls?state=all&per_page=1").json()[0]
    return pull


def test_a_renamed_repository_redirects_in_rest_and_is_followed_in_graphql(own: Client) -> None:
    number, _ = repository_id(own)
    own.mutate(repo="acme/shop", action="rename", name="store")
    moved = own.get("/repos/acme/shop/pulls")
    assert (moved.status_code, moved.headers["location"]) == (301, f"{own.server.url}/repositories/{number}/pulls")
    assert own.get(f"/repositories/{number}").json()["full_name"] == "acme/store"
    assert by_name(own)["data"]["repository"]["nameWithOwner"] == "acme/store"


def test_a_transferred_repository_keeps_its_id_and_its_old_name_leads_on(own: Client) -> None:
    number, node = repository_id(own)
    own.mutate(repo="acme/shop", action="transfer", to="harbour", name="store")
    assert own.get("/repos/acme/shop").status_code == 301
    assert own.get(f"/repositories/{number}").json()["owner"]["login"] == "harbour"
    assert by_name(own)["data"]["repository"] == {
        "nameWithOwner": "harbour/store",
        "databaseId": number,
        "isArchived": False,
        "isPrivate": False,
    }
    assert own.data(f'{{ node(id: "{node}") {{ ... on Repository {{ owner {{ login }} }} }} }}')["node"] == {
        "owner": {"login": "harbour"}
    }


def test_graphql_follows_no_rename_when_asked_not_to(own: Client) -> None:
    own.mutate(repo="acme/shop", action="rename", name="store")
    query = '{ repository(owner: "acme", name: "shop", followRenames: false) { id } }'
    assert own.graphql(query)["errors"][0]["type"] == "NOT_FOUND"


def test_a_repository_can_have_its_old_name_back(own: Client) -> None:
    number, _ = repository_id(own)
    own.mutate(repo="acme/shop", action="rename", name="store")
    own.mutate(repo="acme/store", action="rename", name="shop")
    assert own.get("/repos/acme/shop").json()["id"] == number


@pytest.mark.parametrize(
    ("action", "undo", "key"), [("archive", "unarchive", "archived"), ("privatize", "publicize", "private")]
)
def test_a_repository_changes_and_changes_back(own: Client, action: str, undo: str, key: str) -> None:
    own.mutate(repo="acme/shop", action=action)
    assert own.get("/repos/acme/shop").json()[key] is True
    own.mutate(repo="acme/shop", action=undo)
    assert own.get("/repos/acme/shop").json()[key] is False


def gone(client: Client, number: int, nodes: list[str]) -> None:
    assert client.get("/repos/acme/shop").status_code == 404
    assert client.get(f"/repositories/{number}").status_code == 404
    answer = by_name(client)
    assert (answer["data"], answer["errors"][0]["type"]) == ({"repository": None}, "NOT_FOUND")
    answer = client.graphql("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=nodes)
    assert answer["data"]["nodes"] == [None] * len(nodes)
    assert {error["type"] for error in answer["errors"]} == {"NOT_FOUND"}
    assert "acme/shop" not in [each["full_name"] for each in client.get("/user/repos").json()]


def test_a_deleted_repository_is_found_by_nothing(own: Client) -> None:
    number, node = repository_id(own)
    pull = first_pull(own)["node_id"]
    own.mutate(repo="acme/shop", action="delete_repository")
    gone(own, number, [node, pull])


def test_a_private_repository_is_gone_for_a_token_without_the_scope(own: Client, own_as: AsToken) -> None:
    number, node = repository_id(own)
    own.mutate(repo="acme/shop", action="privatize")
    gone(own_as("sandbox-noscope"), number, [node])
    assert own.get("/repos/acme/shop").status_code == 200


def test_a_repository_can_be_hidden_from_one_token(own: Client, own_as: AsToken) -> None:
    number, node = repository_id(own)
    pull = first_pull(own)["node_id"]
    own.mutate(repo="acme/shop", action="hide", who="sandbox-readonly")
    gone(own_as("sandbox-readonly"), number, [node, pull])
    assert by_name(own)["data"]["repository"] is not None
    own.mutate(repo="acme/shop", action="hide", who="sandbox-readonly", on=False)
    assert own_as("sandbox-readonly").get("/repos/acme/shop").status_code == 200


def test_a_blocked_repository_is_451_and_forbidden(own: Client) -> None:
    _, node = repository_id(own)
    own.mutate(repo="acme/shop", action="block", reason="tos")
    answer = own.get("/repos/acme/shop/pulls")
    assert (answer.status_code, answer.json()["message"]) == (451, "Repository access blocked")
    assert answer.json()["block"]["reason"] == "tos"
    error = by_name(own)["errors"][0]
    assert (error["type"], error["message"]) == ("FORBIDDEN", "Repository access blocked")
    answer = own.http.post("/graphql", json={"query": f'{{ nodes(ids: ["{node}"]) {{ id }} }}'})
    assert answer.json()["data"] == {"nodes": [None]}


def test_a_renamed_user_keeps_the_id_and_the_old_login_leads_nowhere(own: Client) -> None:
    person = own.get("/orgs/acme/members").json()[0]
    own.mutate(action="rename_user", login=person["login"], to="somebody-new")
    assert own.get(f"/users/{person['login']}").status_code == 404
    assert own.get(f"/user/{person['id']}").json()["login"] == "somebody-new"
    assert own.data('{ user(login: "somebody-new") { databaseId } }')["user"]["databaseId"] == person["id"]


def test_what_a_deleted_user_wrote_stays_without_an_author(own: Client) -> None:
    made = own.mutate(repo="acme/shop", action="open", author="sandbox-reader")
    number = made["number"]
    own.mutate(repo="acme/shop", action="comment", number=number, author="sandbox-reader")
    own.mutate(repo="acme/shop", action="review", number=number, author="sandbox-reader")
    own.mutate(action="delete_user", login="sandbox-reader")
    pull = own.get(f"/repos/acme/shop/pulls/{number}").json()
    assert pull["user"]["login"] == "ghost"
    assert own.get(f"/repos/acme/shop/pulls/{number}/reviews").json()[0]["user"] is None
    data = own.data(
        """query($n: Int!) { repository(owner: "acme", name: "shop") { pullRequest(number: $n) { author { login }
        comments(first: 1) { nodes { author { login } } } reviews(first: 1) { nodes { author { login } } }
        commits(first: 1) { nodes { commit { author { user { login } name } } } } } } }""",
        n=number,
    )["repository"]["pullRequest"]
    assert data["author"] is None
    assert data["comments"]["nodes"] == data["reviews"]["nodes"] == [{"author": None}]
    assert data["commits"]["nodes"][0]["commit"]["author"] == {"user": None, "name": "Sandbox Reader"}
    assert own.get("/users/sandbox-reader").status_code == 404


def test_a_deployment_of_a_deleted_user_is_the_ghosts(own: Client) -> None:
    own.mutate(repo="acme/shop", action="deploy", author="sandbox-reader")
    own.mutate(action="delete_user", login="sandbox-reader")
    query = """{ repository(owner: "acme", name: "shop") { deployments(last: 1) { nodes { creator { login } } } } }"""
    assert own.data(query)["repository"]["deployments"]["nodes"] == [{"creator": {"login": "ghost"}}]


def test_a_renamed_organisation_takes_its_repositories_along(own: Client) -> None:
    organization = own.get("/orgs/acme").json()
    own.mutate(action="rename_organization", organization="acme", to="apex")
    assert own.get("/orgs/acme").status_code == 404
    assert own.get(f"/organizations/{organization['id']}").json()["login"] == "apex"
    assert own.get("/repos/acme/shop").status_code == 301
    assert by_name(own)["data"]["repository"]["nameWithOwner"] == "apex/shop"
    assert own.graphql('{ organization(login: "acme") { id } }')["errors"][0]["type"] == "NOT_FOUND"


def test_single_sign_on_is_asked_for_until_it_is_done(own: Client) -> None:
    own.mutate(action="require_sso", organization="acme", who="sandbox-token")
    answer = own.get("/repos/acme/shop/pulls")
    assert answer.status_code == 403
    assert "SAML enforcement" in answer.json()["message"]
    assert answer.headers["x-github-sso"].startswith("required; url=https://github.com/orgs/acme/sso")
    answer = own.http.post("/graphql", json={"query": NAMED.format("acme", "shop")})
    error = answer.json()["errors"][0]
    assert (answer.status_code, error["type"], error["extensions"]) == (200, "FORBIDDEN", {"saml_failure": True})
    assert answer.headers["x-github-sso"].startswith("required; url=")
    listing = own.get("/user/repos")
    assert listing.json() == []
    assert listing.headers["x-github-sso"].startswith("partial-results; organizations=")
    own.mutate(action="require_sso", organization="acme", who="sandbox-token", on=False)
    assert own.get("/repos/acme/shop").status_code == 200
    assert "x-github-sso" not in own.get("/user/repos").headers


def test_single_sign_on_stands_before_nodes_by_id(own: Client) -> None:
    node = first_pull(own)["node_id"]
    own.mutate(action="require_sso", organization="acme")
    answer = own.graphql("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[node])
    assert answer["data"] == {"nodes": [None]}
    assert answer["errors"][0]["extensions"] == {"saml_failure": True}


def test_an_ip_allow_list_is_a_403_in_words(own: Client) -> None:
    own.mutate(action="ip_allow_list", organization="acme")
    answer = own.get("/repos/acme/shop")
    assert answer.status_code == 403
    assert "IP allow list enabled" in answer.json()["message"]
    assert "IP allow list enabled" in by_name(own)["errors"][0]["message"]


@pytest.mark.parametrize(
    ("part", "selection", "path"),
    [
        ("statusCheckRollup", "statusCheckRollup { state }", "/repos/acme/shop/commits/{head}/check-runs"),
        ("files", "files(first: 5) { totalCount }", "/repos/acme/shop/pulls/{number}/files"),
        ("reviews", "reviews(first: 5) { totalCount }", "/repos/acme/shop/pulls/{number}/reviews"),
    ],
)
def test_a_permission_can_be_missing_for_one_part(own: Client, part: str, selection: str, path: str) -> None:
    pull = first_pull(own)
    own.mutate(action="forbid", part=part, who="sandbox-token")
    answer = own.graphql(
        f"""{{ repository(owner: "acme", name: "shop") {{
        pullRequests(first: 2) {{ nodes {{ title {selection} }} }} }} }}"""
    )
    nodes = answer["data"]["repository"]["pullRequests"]["nodes"]
    assert [(bool(node["title"]), node[part]) for node in nodes] == [(True, None)] * 2
    assert [error["path"] for error in answer["errors"]] == [
        ["repository", "pullRequests", "nodes", index, part] for index in (0, 1)
    ]
    assert {(error["type"], error["message"]) for error in answer["errors"]} == {
        ("FORBIDDEN", "Resource not accessible by integration")
    }
    refused = own.get(path.format(head=pull["head"]["sha"], number=pull["number"]))
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
    assert own.get(f"/repos/acme/shop/pulls/{pull['number']}").status_code == 200


def test_deployments_can_be_forbidden_which_nulls_the_repository(own: Client) -> None:
    """The connection may not be null: the error travels up, as the schema has it."""
    own.mutate(action="forbid", part="deployments")
    answer = own.graphql('{ repository(owner: "acme", name: "shop") { id deployments(first: 1) { totalCount } } }')
    assert answer["data"] == {"repository": None}
    assert answer["errors"][0]["path"] == ["repository", "deployments"]
    assert own.get("/repos/acme/shop/deployments").status_code == 403


def test_a_scope_can_be_taken_away(own: Client) -> None:
    own.mutate(repo="acme/shop", action="privatize")
    own.mutate(action="remove_scope", who="sandbox-token", scope="repo")
    assert own.get("/repos/acme/shop").status_code == 404
    assert "repo" not in own.get("/user").headers["x-oauth-scopes"].split(", ")
    own.mutate(action="remove_scope", who="sandbox-token", scope=["repo"], on=False)
    assert own.get("/repos/acme/shop").status_code == 200


def test_a_token_can_die(own: Client) -> None:
    own.mutate(action="revoke_token", token="sandbox-token")
    assert own.get("/user").status_code == 401
    assert own.http.post("/graphql", json={"query": "{ viewer { login } }"}).status_code == 401


def test_what_is_not_there_cannot_move(own: Client) -> None:
    for request in (
        {"action": "transfer", "repo": "acme/shop"},
        {"action": "rename_user", "login": "nobody"},
        {"action": "forbid"},
        {"action": "remove_scope", "who": "nobody", "scope": "repo"},
    ):
        assert own.post("/_sandbox/mutate", request).status_code == 422


def test_an_installation_keeps_its_number_and_can_be_suspended(own: Client, own_as: AsToken) -> None:
    number, organization = next(iter(own.server.app.installations().items()))
    installed = own_as(str(own.server.app.token(number)["token"]))
    assert installed.get("/installation/repositories").json()["total_count"] == 1
    own.mutate(action="suspend_installation", organization="acme")
    refused = installed.get("/repos/acme/shop")
    assert (refused.status_code, refused.json()["message"]) == (403, "This installation has been suspended")
    assert own.get("/repos/acme/shop").status_code == 200
    own.mutate(action="suspend_installation", organization="acme", on=False)
    own.mutate(repo="acme/shop", action="hide", who="acme")
    assert installed.get("/installation/repositories").json()["total_count"] == 0
    own.mutate(repo="acme/shop", action="delete_repository")
    assert own.server.app.installations() == {number: organization}
