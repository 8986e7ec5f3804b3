from django.urls import path

from apps.metrics.views.overview import overview
from apps.metrics.views.pull_request import pull_request
from apps.metrics.views.pull_requests import pull_requests

app_name = "metrics"
urlpatterns = [
    path("a/<slug:team_slug>/", overview, name="overview"),
    path("a/<slug:team_slug>/pull-requests/", pull_requests, name="pull_requests"),
    path("a/<slug:team_slug>/pull-requests/<str:owner>/<str:name>/<int:number>/", pull_request, name="pull_request"),
]
