"""/dev/mail/: what would have been sent, while developing. Reads the files of Django's filebased backend."""

import email
import email.policy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path

from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

SEPARATOR = b"-" * 79  # the backend writes it after each message; a connection's messages share a file
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-popups"
)


@dataclass(frozen=True)
class Mail:
    """One message: `key` is its file's name and its place in it."""

    key: str
    written_at: datetime
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "(no subject)")

    @property
    def to(self) -> str:
        return str(self.message["To"] or "")

    @cached_property
    def text(self) -> str:
        return self._part("plain")

    @cached_property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return str(part.get_content()) if part else ""


def mails() -> list[Mail]:
    """Every message in EMAIL_FILE_PATH, newest first."""
    folder = Path(str(settings.EMAIL_FILE_PATH))  # type: ignore[misc]  # set in settings/dev.py
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [mail for path in files for mail in reversed(_read(path))]


def _read(path: Path) -> list[Mail]:
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    chunks = (chunk.strip() for chunk in path.read_bytes().split(b"\n" + SEPARATOR + b"\n"))
    return [
        Mail(f"{path.stem}-{place}", written_at, _parsed(chunk)) for place, chunk in enumerate(chunks) if chunk.strip()
    ]


def _parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _found(key: str) -> Mail:
    found = next((mail for mail in mails() if mail.key == key), None)
    if found is None:
        raise Http404
    return found


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    return render(request, "web/dev_mail.html", {"mails": mails()})


@csp_update({"frame-src": ["'self'"]})  # type: ignore[arg-type]  # typed for views without arguments
@require_safe
def show(request: HttpRequest, key: str) -> HttpResponse:
    return render(request, "web/dev_mail_message.html", {"mail": _found(key)})


@require_safe
def html(request: HttpRequest, key: str) -> HttpResponse:
    """The HTML part alone, in a document that may load and run nothing. Links open a new window."""
    response = HttpResponse(_found(key).html.replace("<head>", '<head><base target="_blank">', 1))
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-popups"
    )
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
