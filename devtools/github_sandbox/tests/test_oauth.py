"""The web flow's rules: one use, ten minutes, the right secret, verifier and redirect."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from devtools.github_sandbox.access import Tokens, add_sandbox_people
from devtools.github_sandbox.oauth import CODE_SECONDS, Client, OAuth, OAuthError, challenge_of
from devtools.github_sandbox.tests.conftest import Client as HttpClient
from devtools.github_sandbox.world import World

CALLBACK = "http://127.0.0.1:9/callback?next=1"
ASKED = {
    "client_id": "sandbox-oauth-app",
    "redirect_uri": CALLBACK,
    "state": "s1",
    "scope": "repo read:org",
    "code_challenge": challenge_of("a long verifier"),
    "code_challenge_method": "S256",
}
CREDENTIALS = {"client_id": "sandbox-oauth-app", "client_secret": "sandbox-oauth-secret"}


def approve(client: HttpClient, **more: str) -> dict[str, list[str]]:
    form = ASKED | {"login": "sandbox-owner", "decision": "approve"} | more
    response = client.http.post("/login/oauth/authorize", data=form)
    assert response.status_code == 302
    return parse_qs(urlsplit(response.headers["location"]).query)


def exchange(client: HttpClient, code: str, **more: str) -> dict[str, Any]:
    form = CREDENTIALS | {"code": code, "redirect_uri": CALLBACK, "code_verifier": "a long verifier"} | more
    response = client.http.post("/login/oauth/access_token", data=form, headers={"Accept": "application/json"})
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def test_the_page_offers_people_and_two_buttons(own: HttpClient) -> None:
    page = own.http.get("/login/oauth/authorize", params=ASKED).text
    for word in (
        "sandbox-owner",
        "sandbox-reader",
        "sandbox-loner",
        "mara-lindqvist",
        "Authorize",
        "Cancel",
        "repo read:org",
    ):
        assert word in page


def test_an_approval_comes_back_with_code_and_state_and_gives_a_token_that_works(own: HttpClient) -> None:
    query = approve(own, login="mara-lindqvist")
    assert query["state"] == ["s1"]
    assert query["next"] == ["1"]
    answer = exchange(own, query["code"][0])
    assert answer["token_type"] == "bearer"
    assert answer["scope"] == "read:org,repo"
    me = own.get("/user", headers={"Authorization": f"token {answer['access_token']}"})
    assert me.json()["login"] == "mara-lindqvist"
    assert me.headers["x-oauth-scopes"] == "read:org, repo"


def test_a_denial_comes_back_as_one(own: HttpClient) -> None:
    query = approve(own, decision="deny")
    assert query["error"] == ["access_denied"]
    assert query["state"] == ["s1"]
    assert "code" not in query


def test_a_code_works_once(own: HttpClient) -> None:
    code = approve(own)["code"][0]
    assert "access_token" in exchange(own, code)
    assert exchange(own, code)["error"] == "bad_verification_code"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_secret": "guess"}, "incorrect_client_credentials"),
        ({"client_id": "nobody"}, "incorrect_client_credentials"),
        ({"code": "made-up"}, "bad_verification_code"),
        ({"code_verifier": "another"}, "bad_verification_code"),
        ({"redirect_uri": "http://127.0.0.1:9/elsewhere"}, "redirect_uri_mismatch"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_what_is_wrong_is_named_as_github_names_it(own: HttpClient, wrong: dict[str, str], error: str) -> None:
    code = wrong.pop("code", None) or approve(own)["code"][0]
    answer = exchange(own, code, **wrong)
    assert answer["error"] == error
    assert answer["error_description"]
    assert answer["error_uri"].startswith("https://docs.github.com/")


def test_the_token_endpoint_takes_json_and_answers_a_form_unless_json_is_accepted(own: HttpClient) -> None:
    body = CREDENTIALS | {"code": approve(own)["code"][0], "code_verifier": "a long verifier"}
    response = own.http.post("/login/oauth/access_token", json=body, headers={"Accept": "*/*"})
    assert parse_qs(response.text)["token_type"] == ["bearer"]


def test_an_app_that_nobody_registered_is_404(own: HttpClient) -> None:
    assert own.http.get("/login/oauth/authorize", params=ASKED | {"client_id": "nobody"}).status_code == 404


def test_expiring_tokens_come_with_a_refresh_token_that_works_once(own: HttpClient) -> None:
    app = {"client_id": "sandbox-expiring-app"}
    answer = exchange(own, approve(own, **app)["code"][0], **app)
    assert answer["expires_in"] == 28_800
    refresh = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
    again = exchange(own, "", **app, **refresh)
    assert again["access_token"] != answer["access_token"]
    assert exchange(own, "", **app, **refresh)["error"] == "bad_refresh_token"


def test_a_code_is_good_for_ten_minutes() -> None:
    now = [1_000.0]
    world = World()
    add_sandbox_people(world)
    oauth = OAuth(world, Tokens(world), [Client("app", "secret")], clock=lambda: now[0])
    person = world.account("sandbox-owner")
    assert person is not None
    codes = [oauth.grant("app", person, frozenset()) for _ in range(2)]
    form = {"client_id": "app", "client_secret": "secret"}
    now[0] += CODE_SECONDS - 1
    assert oauth.token(form | {"code": codes[0]})["access_token"]
    now[0] += 1
    with pytest.raises(OAuthError, match="incorrect or expired"):
        oauth.token(form | {"code": codes[1]})
