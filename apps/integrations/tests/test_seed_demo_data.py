"""seed_demo_data: what it says, whom it refuses; and that a connection takes the place of what was made up."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from apps.integrations.tasks import discover_repositories_task
from apps.integrations.tests.test_commands import connect
from apps.integrations.tests.test_oauth_views import authorized, begun, choose
from apps.metrics.factories import PullRequestFactory
from apps.metrics.models import PullRequest, Repository
from apps.teams.models import AuditEvent
from apps.teams.scope import team_scope
from tests.worker_support import database, wait_until

CALLBACK = "/integrations/github/callback/"
FEW = ("--prs", "30", "--until", "2026-11-20")


def run(team, *arguments) -> str:
    out = StringIO()
    call_command("seed_demo_data", "--team", team.slug, *arguments, stdout=out)
    return out.getvalue()


def count(team) -> int:
    with team_scope(team.pk):
        return PullRequest.objects.count()


def test_it_says_what_it_made_and_calls_the_team_a_demo(team):
    text, report = run(team, *FEW, "--seed", "5", "--json").splitlines()
    team.refresh_from_db()

    assert f"{team.name} (/a/{team.slug}/) is a demo now: 30 pull requests of" in text
    assert "1 Aug 2026 to 20 Nov 2026" not in text
    assert json.loads(report)["until"] == "2026-11-20T11:00:00Z"
    assert (json.loads(report)["pull_requests"], json.loads(report)["seed"]) == (30, 5)
    assert (team.is_demo, count(team)) == (True, 30)
    with team_scope(team.pk):
        assert AuditEvent.objects.get(action="demo.seeded").details["seed"] == 5


def test_without_a_day_it_ends_with_the_latest_morning_that_is_over(team):
    began = datetime.now(UTC)
    run(team, "--prs", "20")
    with team_scope(team.pk):
        [end] = set(Repository.objects.values_list("synced_to", flat=True))
    assert end.hour == 11
    assert began - timedelta(days=1) < end <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--prs", "0"), "a number from 1 to 1000000"),
        (("--prs", "many"), "a number from 1 to 1000000"),
        (("--until", "tomorrow"), "write the day as 2026-03-31"),
        (("--until", "9999-12-31"), "a day from 1970-01-01 to 2999-12-31"),
        (("--if-older-than", "99999999999"), "a number from 0 to 100000"),
        (("--processes", "1000"), "a number from 1 to 64"),
    ],
)
def test_what_cannot_be_meant_is_said(team, arguments, told):
    with pytest.raises(CommandError, match=told):
        run(team, *arguments)


def test_a_connected_team_is_refused_and_keeps_what_it_has(sandbox, team, monkeypatch):
    connect(team, monkeypatch)
    with pytest.raises(CommandError, match=r"is connected to GitHub \(acme\).*another team"):
        run(team, *FEW)
    assert run(team, *FEW, "--if-older-than", "7") == f"{team.name} stays as it is.\n"
    assert count(team) == 0


def test_a_team_with_pull_requests_of_its_own_is_refused(team):
    real = PullRequestFactory.create(team=team)
    with pytest.raises(CommandError, match=f"pull requests of {real.github_repo}"):
        run(team, *FEW)
    assert run(team, *FEW, "--if-older-than", "7") == f"{team.name} stays as it is.\n"
    assert count(team) == 1


def test_it_is_made_anew_only_when_it_has_become_old(team):
    run(team, *FEW, "--if-older-than", "7")
    assert run(team, "--prs", "20", "--until", "2026-11-27", "--if-older-than", "7") == f"{team.name} stays as it is.\n"
    assert count(team) == 30
    run(team, "--prs", "20", "--until", "2026-11-28", "--if-older-than", "7")
    assert count(team) == 20


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_ends_every_process_and_the_next_time_replaces_what_is_left(team):
    """On a terminal, so that its progress can be seen."""
    ours, theirs = os.openpty()
    options = ["--prs", "4000", "--processes", "2", "--until", "2026-11-20"]
    command = [sys.executable, "manage.py", "seed_demo_data", "--team", team.slug, *options, "--skip-checks"]
    environment = {**os.environ, "DATABASE_URL": database(), "DJANGO_SETTINGS_MODULE": "tformance.settings.dev"}
    process = subprocess.Popen(
        command, env=environment, stderr=theirs, stdout=subprocess.PIPE, start_new_session=True, cwd=settings.BASE_DIR
    )
    os.close(theirs)
    said = read_until(ours, " of 4,000 pull requests")
    os.killpg(process.pid, signal.SIGINT)
    said += read_until(ours, "to replace it.")
    assert process.wait(30) == 130
    assert process.stdout is not None
    process.stdout.close()
    os.close(ours)
    assert "Interrupted: " in said
    wait_until(lambda: is_gone(process.pid))

    assert 0 < count(team) < 4_000
    run(team, *FEW)
    assert count(team) == 30


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def read_until(terminal: int, words: str) -> str:
    said = ""
    while words not in said:
        assert select.select([terminal], [], [], 60)[0], f"it says no more than {said}"
        said += os.read(terminal, 4_096).decode()
    return said


def test_connecting_makes_the_demo_data_go(sandbox, acme, team, as_owner_of_team, queued):
    run(team, *FEW)
    as_owner_of_team.get(CALLBACK, authorized(sandbox, begun(as_owner_of_team, team)))
    with queued() as tasks:
        choose(as_owner_of_team, team, acme.database_id)
    listing = {name: arguments for name, *arguments in tasks}["discover_repositories_task"]
    assert count(team) == 30
    discover_repositories_task(*listing)
    team.refresh_from_db()
    assert (team.is_demo, count(team)) == (False, 0)


def test_connecting_by_the_command_makes_it_go_too(sandbox, team, monkeypatch):
    run(team, *FEW)
    connect(team, monkeypatch)
    team.refresh_from_db()
    assert (team.is_demo, count(team)) == (False, 0)
