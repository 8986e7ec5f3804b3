"""What holds for every request."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound
from django.urls import Resolver404
from django.views.defaults import page_not_found


class RefuseNul:
    """No address contains NUL, and PostgreSQL takes none to look for: there is nothing there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\x00" in request.path:
            return HttpResponseNotFound("There is no such address.", content_type="text/plain; charset=utf-8")
        return self.get_response(request)


class NotFoundAsInProduction:
    """While developing, 404 is the page that users get. Django would show its own, with every URL pattern."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # An address that leads to no view comes here as Django's page: no exception passes by.
        if response.status_code == 404 and request.resolver_match is None:
            return page_not_found(request, Resolver404({"path": request.path}))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return page_not_found(request, exception) if isinstance(exception, Http404) else None
