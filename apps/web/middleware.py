"""What holds for every request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotFound


class RefuseNul:
    """No address contains NUL, and PostgreSQL takes none to look for: there is nothing there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\x00" in request.path:
            return HttpResponseNotFound("There is no such address.", content_type="text/plain; charset=utf-8")
        return self.get_response(request)
