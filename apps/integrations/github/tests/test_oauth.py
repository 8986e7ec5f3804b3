"""The OAuth web flow."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from apps.integrations.github.errors import RateLimited, Unavailable
from apps.integrations.github.oauth import (
    AccessDenied,
    ClientMisconfigured,
    CodeExpired,
    OAuthClient,
    OAuthError,
    RedirectMismatch,
    RefreshTokenExpired,
    SignInRefused,
    challenge,
    named_error,
    new_state,
    new_verifier,
)
from apps.integrations.github.tests.world import FunctionTransport
from apps.integrations.github.transport import Response

CLIENT = OAuthClient("id", "hush", "https://git.example/")
CALLBACK = "https://tformance.example/callback"


def answering(content: Any, status: int = 200, **headers: str) -> FunctionTransport:
    return FunctionTransport(lambda **request: Response(status, headers, orjson.dumps(content)))


def test_it_asks_for_what_the_product_needs_and_binds_the_answer():
    url = urlsplit(CLIENT.authorize_url(redirect_uri=CALLBACK, state="s", verifier="v"))
    assert (url.scheme, url.netloc, url.path) == ("https", "git.example", "/login/oauth/authorize")
    assert parse_qs(url.query) == {
        "client_id": ["id"],
        "redirect_uri": [CALLBACK],
        "scope": ["repo read:org read:user admin:repo_hook"],
        "state": ["s"],
        "code_challenge": [challenge("v")],
        "code_challenge_method": ["S256"],
    }


def test_the_challenge_is_that_of_the_rfc():
    """RFC 7636, appendix B."""
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_verifiers_and_states_are_never_the_same():
    assert len({new_verifier() for _ in range(20)}) == len({new_state() for _ in range(20)}) == 20
    assert 43 <= len(new_verifier()) <= 128


def test_it_exchanges_a_code_for_a_token():
    transport = answering({"access_token": "gho_x", "scope": "repo,read:org", "token_type": "bearer"})
    grant = CLIENT.exchange(transport, code="c", redirect_uri=CALLBACK, verifier="v")
    assert (grant.access_token, grant.scopes, grant.expires_in) == ("gho_x", {"repo", "read:org"}, None)
    [sent] = transport.sent
    assert (sent["method"], sent["url"]) == ("POST", "https://git.example/login/oauth/access_token")
    assert parse_qs(sent["body"].decode()) == {
        "client_id": ["id"],
        "client_secret": ["hush"],
        "code": ["c"],
        "redirect_uri": [CALLBACK],
        "code_verifier": ["v"],
    }


def test_it_refreshes_a_token_that_expires():
    content = {
        "access_token": "ghu_y",
        "refresh_token": "ghr_z",
        "expires_in": 28800,
        "refresh_token_expires_in": 15897600,
        "scope": "",
    }
    transport = answering(content)
    grant = CLIENT.refresh(transport, refresh_token="ghr_a")
    assert (grant.access_token, grant.refresh_token, grant.expires_in) == ("ghu_y", "ghr_z", 28800)
    assert (grant.scopes, grant.refresh_token_expires_in) == (frozenset(), 15897600)
    assert parse_qs(transport.sent[0]["body"].decode())["grant_type"] == ["refresh_token"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("bad_verification_code", CodeExpired),
        ("bad_refresh_token", RefreshTokenExpired),
        ("incorrect_client_credentials", ClientMisconfigured),
        ("redirect_uri_mismatch", RedirectMismatch),
        ("access_denied", AccessDenied),
        ("application_suspended", SignInRefused),
    ],
)
def test_githubs_refusals_come_with_200_and_are_named(code, error):
    with pytest.raises(error) as caught:
        CLIENT.exchange(answering({"error": code}), code="c", redirect_uri=CALLBACK, verifier="v")
    assert isinstance(caught.value, OAuthError)
    assert isinstance(named_error(code), error)


def test_other_failures_are_named_as_everywhere():
    with pytest.raises(RateLimited):
        CLIENT.exchange(answering({}, 429, **{"retry-after": "9"}), code="c", redirect_uri=CALLBACK, verifier="v")
    with pytest.raises(Unavailable):
        CLIENT.exchange(answering({}), code="c", redirect_uri=CALLBACK, verifier="v")


def test_secrets_do_not_show():
    grant = CLIENT.refresh(answering({"access_token": "ghu_y", "refresh_token": "ghr_z"}), refresh_token="ghr_a")
    shown = repr(CLIENT) + repr(grant)
    assert not any(secret in shown for secret in ("hush", "ghu_y", "ghr_z"))
