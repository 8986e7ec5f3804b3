from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("", include("apps.web.urls")),
    path("", include("apps.teams.urls")),
    path("", include("apps.integrations.urls")),
    path("", include("apps.metrics.urls")),
]
if settings.DEBUG:
    urlpatterns.append(path("dev/", include("apps.web.dev_urls")))
