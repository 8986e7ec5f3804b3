"""One URL, page or fragment: what HTMX asks for is a partial of the page's own template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def render_page_or(
    fragments: tuple[str, ...], request: HttpRequest, template: str, context: Mapping[str, Any], *, query: str
) -> HttpResponse:
    """The partial that the HTMX target names, if it is one of `fragments`; else the page.

    `query` is what was understood of the address. With the first of the fragments it goes into the address bar: a form
    sends its empty fields too.
    """
    headers = request.headers
    is_htmx = headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in headers
    target = headers.get("HX-Target", "").removeprefix("#")
    is_fragment = is_htmx and target in fragments
    name = f"{template}#{target}" if is_fragment else template
    response = render(request, name, {**context, "is_fragment": is_fragment})
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    if is_fragment and target == fragments[0]:
        response["HX-Push-Url"] = f"{request.path}?{query}" if query else request.path
    return response
