"""One URL, page or fragment: what HTMX asks for is a partial of the page's own template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def render_page_or(
    fragments: tuple[str, ...], request: HttpRequest, template: str, context: Mapping[str, Any]
) -> HttpResponse:
    """The partial that the HTMX target names, if it is one of `fragments`; else the page."""
    headers = request.headers
    is_fragment = headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in headers
    target = headers.get("HX-Target", "").removeprefix("#")
    name = f"{template}#{target}" if is_fragment and target in fragments else template
    response = render(request, name, {**context, "is_fragment": name != template})
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
