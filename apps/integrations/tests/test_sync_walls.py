"""What another team, a member and a stranger may do with the sync log and its buttons: nothing that is not theirs. And
what GitHub says is text, wherever it is shown.
"""

from __future__ import annotations

import csv
import io

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.integrations.factories import FreshnessCheckFactory, SyncRunFactory, TrackedRepositoryFactory
from apps.integrations.models import GitHubIntegration, SyncRun
from apps.integrations.services import connection_state
from apps.integrations.services.sync_notifications import notify_about, notify_about_connection
from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.teams.scope import team_scope

EVIL = '=cmd|"/C calc"!A1<script>alert(1)</script>'


def failed_run(team, name="acme/secret", **fields) -> SyncRun:
    repository = RepositoryFactory.create(team=team, full_name=name, covered_from=timezone.now())
    tracked = TrackedRepositoryFactory.create(
        team=team, repository=repository, sync_status="error", last_sync_error=EVIL, integration__status_reason=EVIL
    )
    PullRequestFactory.create(
        team=team, repository=repository, number=7, node_id="PR_7", title=EVIL, is_partial=True, partial={"files": EVIL}
    )
    return SyncRunFactory.create(
        team=team,
        tracked_repository=tracked,
        status=SyncRun.Status.ERROR,
        finished_at=timezone.now(),
        errors=[EVIL],
        partial={"7": {"files": EVIL}, "unreadable": {"-1": EVIL}, "permissions": {EVIL: EVIL}},
        waits=[{"from": timezone.now().isoformat(), "until": None, "reason": EVIL}],
        **fields,
    )


def page(name: str, *args: object) -> str:
    return reverse(f"integrations:{name}", args=args)


def test_another_teams_run_is_unknown_in_every_way(team, other_team, as_owner_of_team):
    theirs = failed_run(other_team)
    assert as_owner_of_team.get(page("sync_run", team.slug, theirs.pk)).status_code == 404
    for action in ("sync_run_cancel", "sync_run_retry"):
        assert as_owner_of_team.post(page(action, team.slug, theirs.pk), {"only": "partial"}).status_code == 404
    repo_id = theirs.tracked_repository.repository.github_repo_id
    for action in ("pause", "resume", "sync", "depth", "toggle", "webhook"):
        answer = as_owner_of_team.post(page(f"github_repo_{action}", team.slug, repo_id), {"days": "30"})
        assert answer.status_code == 404
    integration = theirs.tracked_repository.integration
    for action in ("retry", "refresh", "disconnect"):
        assert as_owner_of_team.post(page(action, team.slug, integration.pk)).status_code == 404


def test_another_teams_pages_are_404_and_its_names_in_filters_find_nothing(team, other_team, as_owner_of_team):
    theirs = failed_run(other_team)
    FreshnessCheckFactory.create(team=other_team, error="their look")
    for name, *more in (("sync_log",), ("sync_log_csv",), ("sync_run", theirs.pk), ("repositories",)):
        assert as_owner_of_team.get(page(name, other_team.slug, *more)).status_code == 404
    for query in ({"repository": "acme/secret"}, {"show": "all"}, {"show": "looks"}, {"show": "all", "after": "1"}):
        shown = as_owner_of_team.get(page("sync_log", team.slug), query).content.decode()
        assert "their look" not in shown
        assert f"/{theirs.pk}/" not in shown
        lines = b"".join(as_owner_of_team.get(page("sync_log_csv", team.slug), query).streaming_content)
        assert lines.count(b"\n") == 1


def test_without_the_token_of_the_form_nothing_is_done(team, owner):
    run = failed_run(team)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert browser.post(page("sync_run_retry", team.slug, run.pk)).status_code == 403
    assert browser.get(page("sync_run_retry", team.slug, run.pk)).status_code == 405


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Target": "run"}])
def test_what_github_says_is_shown_as_text(team, as_owner_of_team, headers):
    run = failed_run(team)
    repo_id = run.tracked_repository.repository.github_repo_id
    for url in (
        page("sync_run", team.slug, run.pk),
        page("sync_log", team.slug) + "?show=all",
        page("repositories", team.slug),
        page("github_repo_sync_progress", team.slug, repo_id),
    ):
        shown = as_owner_of_team.get(url, headers=headers).content.decode()
        assert "<script>alert" not in shown


def test_a_file_runs_nothing(team, as_owner_of_team):
    failed_run(team, name="=acme/shop")
    lines = b"".join(as_owner_of_team.get(page("sync_log_csv", team.slug), {"show": "all"}).streaming_content)
    rows = list(csv.DictReader(io.StringIO(lines.decode())))
    assert not [value for row in rows for value in row.values() if value.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil", "https://a/" + "b" * 1_000])
def test_an_address_that_is_none_becomes_no_link(team, owner, as_owner_of_team, url):
    run = failed_run(team)
    integration = run.tracked_repository.integration
    with team_scope(team.pk):
        connection_state.hold(integration.pk, reason="single sign-on", url=url)
        assert GitHubIntegration.objects.get().status_url == ""
    assert "javascript:" not in as_owner_of_team.get(page("repositories", team.slug)).content.decode()


def test_a_mail_has_one_subject_and_its_text_is_escaped_in_html(team, owner):
    run = failed_run(team, name="acme/shop\r\nBcc: evil@example.com")
    notify_about(team_id=team.pk, run_id=run.pk)
    with team_scope(team.pk):
        connection_state.disconnect(run.tracked_repository.integration_id, reason=EVIL)
    notify_about_connection(team_id=team.pk, integration_id=run.tracked_repository.integration_id)
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        assert "\n" not in message.subject
        assert message.recipients() == [owner.email]
        assert "<script>" not in str(message.alternatives[0][0])
