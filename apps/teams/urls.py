from django.urls import path

from apps.teams import views

app_name = "teams"
urlpatterns = [
    path("teams/new/", views.create, name="create"),
    path("a/<slug:team_slug>/settings/", views.settings, name="settings"),
]
