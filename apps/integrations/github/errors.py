"""What can go wrong between us and GitHub, each with a sentence that a person can act on. No message holds a token."""

from __future__ import annotations

from datetime import datetime


class GitHubError(Exception):
    """Any failure of GitHub or of the way to it."""


class RateLimited(GitHubError):
    """The budget is used up until `reset_at` (aware UTC); `retry_after` is the same in seconds from the answer.

    `secondary`: GitHub's protection against bursts, which is neither the hourly budget nor a missing permission.
    `is_stated`: GitHub said itself how long to wait.
    """

    def __init__(
        self,
        reset_at: datetime,
        *,
        secondary: bool = False,
        retry_after: float = 60.0,
        is_stated: bool = True,
        message: str = "",
    ) -> None:
        self.reset_at = reset_at
        self.secondary = secondary
        self.retry_after = retry_after
        self.is_stated = is_stated
        kind = "secondary rate limit" if secondary else "rate limit"
        super().__init__(
            message or f"GitHub's {kind} is reached; work goes on by itself after {reset_at:%Y-%m-%d %H:%M:%S} UTC."
        )


class Crowded(RateLimited):
    """Other work keeps this account's few places for requests taken; GitHub refused nothing."""

    def __init__(self, reset_at: datetime, *, retry_after: float) -> None:
        super().__init__(
            reset_at,
            secondary=True,
            retry_after=retry_after,
            message="Other work of this GitHub connection goes first; this goes on by itself.",
        )


class BadCredentials(GitHubError):
    """401: the token was revoked, has expired or was mistyped."""

    def __init__(self, message: str = "GitHub does not accept the token. Connect GitHub again.") -> None:
        super().__init__(message)


class PermissionMissing(GitHubError):
    """The token is good but may not do this; `name` is the permission or the scopes that it lacks."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"The GitHub connection lacks the permission “{name}”. Grant it and try again.")


class SsoRequired(GitHubError):
    """The organisation wants the token authorised for single sign-on; `url` is where, when GitHub says it."""

    def __init__(self, url: str = "", message: str = "") -> None:
        self.url = url
        where = f" at {url}" if url else ""
        super().__init__(
            message or f"The organisation requires single sign-on. Authorise the GitHub connection for it{where}."
        )


class IpNotAllowed(SsoRequired):
    """The organisation has an IP allow list without this server on it."""

    def __init__(self) -> None:
        super().__init__(
            message="The organisation's IP allow list refuses this server. Ask an owner to add its address."
        )


class NotFound(GitHubError):
    """404: it is not there, or the token may not see it (GitHub does not tell which)."""

    def __init__(self, what: str = "what was asked for") -> None:
        self.what = what
        super().__init__(f"GitHub does not know {what}, or the connection may not see it.")


class RepositoryGone(NotFound):
    """The repository was deleted, renamed, transferred or hidden from the connection: look it up by its id."""

    def __init__(self, name: str = "the repository") -> None:
        super().__init__(name)


class FeatureGone(NotFound):
    """410: the part that was asked for is switched off for good."""


class RepositoryBlocked(GitHubError):
    """451: GitHub blocks the repository for legal reasons."""

    def __init__(self, name: str = "the repository") -> None:
        super().__init__(f"GitHub blocks {name} for legal reasons.")


class QueryTooHeavy(GitHubError):
    """GitHub gave up on the query (502, 504, a time limit, a resource limit): ask for less at once."""

    def __init__(self, reason: str = "GitHub could not answer in time") -> None:
        self.reason = reason
        super().__init__(f"{reason[:1].upper()}{reason[1:]}. It is tried again later, for less at once.")


class Unavailable(GitHubError):
    """No usable answer after every attempt: connection refused or closed, a truncated body, a server error."""

    def __init__(self, reason: str = "no usable answer") -> None:
        super().__init__(f"GitHub is not available ({reason}). It is tried again later.")


class LeftForLater(GitHubError):
    """It was not even asked for: the time for such questions is used up, or GitHub did not answer the last one."""

    WORDS = "left for later"

    def __init__(self) -> None:
        super().__init__(self.WORDS)


class QueryRejected(GitHubError):
    """GitHub refused the request itself (400, 422, an invalid query): trying again does not help."""

    def __init__(self, message: str) -> None:
        super().__init__(f"GitHub rejected the request: {message}")
