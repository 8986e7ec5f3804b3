"""Pages that follow what is stored while they are open: the server's side of static/js/live.js.

A live page names its version in `data-version`. The script sends it in a header, to the page's own address and for the
element that follows; the answer is nothing, or that element of now.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

VERSION = "X-Live-Version"
AGES = timedelta(minutes=5)
"""After so long a page that says how long ago something was is shown anew though nothing changed."""


def version_at(rows: str, now: datetime) -> str:
    """The version of a page that ages. What is before the hyphen changed when the rows did: it is worth a word."""
    return f"{rows}-{int(now.timestamp() // AGES.total_seconds())}"


def is_live(request: HttpRequest, target: str) -> bool:
    """Whether the open page asks for `target` as it is now."""
    headers = request.headers
    return VERSION in headers and headers.get("HX-Request") == "true" and headers.get("HX-Target") == target


def knows(request: HttpRequest, target: str, version: str) -> bool:
    """Whether the open page shows that version already."""
    return is_live(request, target) and request.headers[VERSION] == version


def nothing_new() -> HttpResponse:
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})


def marked(response: HttpResponse, request: HttpRequest, target: str, version: str) -> HttpResponse:
    """The page or its live part, so that neither is taken for the other. Without the mark the script shows nothing: a
    log-in page of whoever stands before us has none.
    """
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    if is_live(request, target):
        response.headers[VERSION] = version
        response.headers["Cache-Control"] = "no-store"
    return response
