"""A token stays a secret: a whole flow, searched for it everywhere."""

from __future__ import annotations

import base64
import logging

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.urls import reverse

from apps.integrations.models import GitHubIntegration, IntegrationCredential
from apps.integrations.services.discovery import discover
from apps.integrations.services.github_webhooks import register
from apps.teams.models import AuditEvent
from apps.teams.scope import team_scope

SECRET = "sandbox-token"


def every_column(team) -> str:
    """Everything that the database holds of the team's and nobody's, as text."""
    texts = []
    with team_scope(team.pk), connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            texts += [row[0] for row in cursor.fetchall()]
    return "\n".join(texts)


@pytest.fixture
def flow(sandbox, acme, team, as_owner_of_team, queued, caplog, capfd):
    """Connect by token, look at every page, list, hook, disconnect; what was said meanwhile."""
    said = []
    caplog.set_level(logging.DEBUG)

    def seen(response):
        said.append(response.content.decode())
        said.extend(f"{name}: {value}" for name, value in response.headers.items())
        said.extend(str(cookie) for cookie in response.cookies.values())
        return response

    def url(name, *arguments):
        return reverse(f"integrations:{name}", args=[team.slug, *arguments])

    with queued() as tasks:
        seen(as_owner_of_team.post(url("connect_token"), {"token": SECRET}))
        seen(as_owner_of_team.get(url("choose")))
        sessions = [session.session_data for session in Session.objects.all()]
        sessions += [str(session.get_decoded()) for session in Session.objects.all()]
        seen(as_owner_of_team.post(url("choose"), {"account": acme.database_id}))
        with team_scope(team.pk):
            integration = GitHubIntegration.objects.get()
        discover(team_id=team.pk, integration_id=integration.pk)
        repo_id = sandbox.world.repository("acme/shop").database_id
        seen(as_owner_of_team.post(url("github_repo_toggle", repo_id), {"days": "30"}))
        with team_scope(team.pk):
            tracked = integration.tracked_repositories.get()
        register(team_id=team.pk, tracked_id=tracked.pk)
        for name in ("repositories", "connect"):
            seen(as_owner_of_team.get(url(name)))
        seen(as_owner_of_team.get(url("github_repo_sync_progress", repo_id)))
        columns = every_column(team)
        seen(as_owner_of_team.post(url("disconnect", integration.pk)))
    captured = capfd.readouterr()
    return {
        "responses": said,
        "sessions": sessions,
        "tasks": [repr(task) for task in tasks],
        "columns": [columns],
        "logs": [record.getMessage() for record in caplog.records] + [captured.out, captured.err],
    }


@pytest.mark.parametrize("place", ["responses", "sessions", "tasks", "columns", "logs"])
def test_the_token_is_nowhere_to_be_read(flow, place):
    encoded = base64.b64encode(SECRET.encode()).decode().rstrip("=")
    assert flow[place]
    for text in flow[place]:
        assert SECRET not in text
        assert encoded not in text


def test_the_flow_did_store_it(sandbox, acme, team, as_owner_of_team, queued):
    with queued():
        as_owner_of_team.post(reverse("integrations:connect_token", args=[team.slug]), {"token": SECRET})
        as_owner_of_team.post(reverse("integrations:choose", args=[team.slug]), {"account": acme.database_id})
    with team_scope(team.pk):
        assert IntegrationCredential.objects.get().access_token == SECRET
        assert AuditEvent.objects.filter(action="github.connected").exists()


def test_an_error_report_shows_no_token(sandbox, team, as_owner_of_team, settings):
    """Django's report hides the field; whoever prints our objects sees none either."""
    settings.DEBUG = False
    response = as_owner_of_team.post(reverse("integrations:connect_token", args=[team.slug]), {"token": SECRET})
    assert response.wsgi_request.sensitive_post_parameters == ("token",)
