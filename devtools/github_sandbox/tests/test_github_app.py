"""A GitHub App proves itself with its key and works with tokens of an hour."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from devtools.github_sandbox.access import Tokens, add_sandbox_people
from devtools.github_sandbox.github_app import GitHubApp
from devtools.github_sandbox.server import SandboxServer, build_world
from devtools.github_sandbox.synthetic import SyntheticRepository
from devtools.github_sandbox.tests.conftest import NOW, Client

EPOCH = 1_800_000_000
REPOSITORIES = ("acme:shop:2", SyntheticRepository("acme", "vault", 2, private=True), "other:place:2")


def jwt(app: GitHubApp, **changes: Any) -> str:
    """Signed with the App's key: the claims of a correct one, changed as asked."""
    key = load_pem_private_key(app.private_key.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    claims = {"iat": EPOCH - 30, "exp": EPOCH + 500, "iss": str(app.id)} | changes
    parts = [base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=") for part in ({"alg": "RS256"}, claims)]
    signature = key.sign(b".".join(parts), padding.PKCS1v15(), SHA256())
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(synthetic=REPOSITORIES, now=NOW, clock=lambda: EPOCH) as found:
        yield found


@pytest.fixture
def bearing(server: SandboxServer) -> Iterator[Callable[[str], Client]]:
    clients: list[Client] = []

    def client(token: str) -> Client:
        clients.append(Client(server, token))
        return clients[-1]

    yield client
    for each in clients:
        each.close()


def test_it_lists_its_installations(server: SandboxServer, bearing: Callable[[str], Client]) -> None:
    app = bearing(jwt(server.app))
    assert app.get("/app").json()["id"] == server.app.id
    logins = [each["account"]["login"] for each in app.get("/app/installations").json()]
    assert logins == ["acme", "other"]
    assert app.get("/orgs/ACME/installation").json()["id"] == 70_000_000


def test_an_installations_token_sees_its_organisation_and_nobody_elses_secrets(
    server: SandboxServer, bearing: Callable[[str], Client]
) -> None:
    answer = bearing(jwt(server.app)).post("/app/installations/70000000/access_tokens", {})
    assert answer.status_code == 201
    assert answer.json()["expires_at"] == "2027-01-15T09:00:00Z"
    client = bearing(answer.json()["token"])
    found = client.get("/installation/repositories")
    assert [each["full_name"] for each in found.json()["repositories"]] == ["acme/shop", "acme/vault"]
    assert found.json()["total_count"] == 2
    assert "x-oauth-scopes" not in found.headers
    query = '{ repository(owner: "acme", name: "vault") { pullRequests(first: 5) { totalCount } } }'
    assert client.data(query)["repository"]["pullRequests"]["totalCount"] == 2
    assert client.get("/user").json()["message"] == "Resource not accessible by integration"
    assert client.get("/repos/acme/shop/hooks").status_code == 404


@pytest.mark.parametrize(
    "claims", [{"iss": "1"}, {"exp": EPOCH - 1}, {"exp": EPOCH + 3_600}, {"iat": EPOCH + 300}, {"iss": None}]
)
def test_a_token_with_wrong_claims_is_refused(server: SandboxServer, claims: dict[str, Any]) -> None:
    assert not server.app.accepts(jwt(server.app, **claims))


def test_a_token_of_another_key_is_refused(server: SandboxServer, bearing: Callable[[str], Client]) -> None:
    world = build_world(None, ["acme:shop:1"], NOW)
    add_sandbox_people(world)
    stranger = GitHubApp(world, Tokens(world))
    assert bearing(jwt(stranger)).get("/app").status_code == 401
    assert not server.app.accepts("a.b.c")


def test_it_needs_its_own_token_and_not_a_persons(server: SandboxServer) -> None:
    with closing(Client(server)) as person:
        assert person.get("/app/installations").status_code == 401
        assert person.get("/installation/repositories").status_code == 403
        assert person.get("/user/installations").json()["total_count"] == 2


def test_an_installations_token_lasts_an_hour() -> None:
    now = [1_000.0]
    world = build_world(None, ["acme:shop:1"], NOW)
    add_sandbox_people(world)
    tokens = Tokens(world, clock=lambda: now[0])
    token = GitHubApp(world, tokens, clock=lambda: now[0]).token(70_000_000)["token"]
    now[0] += 3_599
    assert tokens.session(token) is not None
    now[0] += 1
    assert tokens.session(token) is None
