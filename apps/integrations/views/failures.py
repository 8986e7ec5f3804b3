"""What a page says when connecting did not work out: what happened, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from apps.integrations.github.errors import (
    BadCredentials,
    GitHubError,
    NotFound,
    PermissionMissing,
    RateLimited,
    SsoRequired,
    Unavailable,
)
from apps.integrations.github.oauth import (
    AccessDenied,
    ClientMisconfigured,
    CodeExpired,
    OAuthError,
    RedirectMismatch,
)
from apps.integrations.services.access_check import AccessRefused


@dataclass(frozen=True, slots=True)
class Failure:
    """`status` is the page's HTTP status; `url` leads to where it can be put right, if anywhere at GitHub."""

    title: str
    text: str
    advice: str
    status: int
    url: str = ""


def unknown_state() -> Failure:
    return Failure(
        "This sign-in cannot be finished",
        "The answer from GitHub does not belong to a sign-in that was begun in this browser, or it was used already, or"
        " it is older than ten minutes. Nothing was connected.",
        "Open your team's connection page and start again, in this browser and in one go.",
        400,
    )


def failure_of(error: GitHubError | AccessRefused) -> Failure:
    for kind, (title, advice, status) in _KNOWN.items():
        if isinstance(error, kind):
            return Failure(title, str(error), advice, status, url=_where(error))
    return Failure("GitHub could not be connected", str(error), "Nothing was stored. Start again.", 502)


# The first that fits counts.
_KNOWN: dict[type[Exception], tuple[str, str, int]] = {
    AccessDenied: (
        "GitHub was not authorised",
        "Start again and press Authorize at GitHub. tformance reads; it writes nothing but its webhooks.",
        403,
    ),
    CodeExpired: ("The sign-in took too long", "Nothing was stored. Start again.", 400),
    ClientMisconfigured: (
        "This installation is not set up for GitHub",
        "The operator has to check GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET. A token works meanwhile.",
        502,
    ),
    RedirectMismatch: (
        "This installation is not set up for GitHub",
        "The operator has to register this installation's BASE_URL with the OAuth App. A token works meanwhile.",
        502,
    ),
    OAuthError: ("GitHub refused the sign-in", "Nothing was stored. Start again.", 400),
    AccessRefused: ("A permission is missing", "Start again and grant it, or use a token that has it.", 403),
    SsoRequired: ("The organisation does not let the token in", "Authorise it there, then start again.", 403),
    PermissionMissing: ("A permission is missing", "Start again and grant it, or use a token that has it.", 403),
    BadCredentials: ("GitHub does not accept the token", "Nothing was stored. Start again.", 403),
    NotFound: (
        "The account is not visible",
        "Ask an owner of the organisation to approve the access of tformance, then start again.",
        403,
    ),
    RateLimited: ("GitHub asks for a pause", "Nothing was stored. Start again then.", 503),
    Unavailable: (
        "GitHub does not answer",
        "Nothing was stored. Start again in some minutes.",
        503,
    ),
}


def _where(error: Exception) -> str:
    if isinstance(error, SsoRequired) and error.url.startswith(settings.GITHUB_WEB_URL):
        return error.url
    return ""
