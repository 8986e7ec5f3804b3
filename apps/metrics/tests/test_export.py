"""`export_data`: everything, once, and readable by programs."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.metrics import factories
from apps.metrics.models import PRFile
from apps.metrics.queries import export as queries
from apps.teams.scope import current_team_id

GONE = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def exported(team, tmp_path, capsys):
    def run(*options: str) -> dict[str, list[dict[str, object]]]:
        call_command("export_data", "--team", team.slug, "--output", str(tmp_path / "out"), *options)
        return {
            path.stem: [json.loads(line) for line in path.read_text().splitlines()]
            for path in (tmp_path / "out").glob("*.jsonl")
        }

    return run


def test_there_is_a_file_for_every_model_with_every_column(team, exported):
    for model in apps.get_app_config("metrics").get_models():
        getattr(factories, f"{model.__name__}Factory")(team=team)
    files = exported()
    for model in apps.get_app_config("metrics").get_models():
        columns = {field.attname for field in model._meta.concrete_fields}
        assert files[model.__name__], model
        assert all(columns <= row.keys() for row in files[model.__name__])


def test_children_carry_the_repository_and_the_number_and_members_their_login(team, exported):
    pull_request = factories.PullRequestFactory(
        team=team, number=7, repository__full_name="acme/api", author__login="anna", cycle_time_hours=Decimal("4.20")
    )
    factories.PRReviewFactory(team=team, pull_request=pull_request, reviewer__login="ben")
    factories.PRFileFactory(team=team, pull_request=pull_request)
    files = exported()
    (row,) = files["PullRequest"]
    assert (row["github_repo"], row["number"], row["author_login"], row["cycle_time_hours"]) == (
        "acme/api",
        7,
        "anna",
        4.2,
    )
    assert row["pr_created_at"] == "2026-03-02T09:00:00Z"
    (review,) = files["PRReview"]
    assert (review["github_repo"], review["number"], review["reviewer_login"]) == ("acme/api", 7, "ben")
    assert (files["PRFile"][0]["github_repo"], files["PRFile"][0]["number"]) == ("acme/api", 7)


def test_a_shared_commit_is_one_row_with_the_numbers_of_its_pull_requests(team, exported):
    repository = factories.RepositoryFactory(team=team, full_name="acme/api")
    commit = factories.CommitFactory(team=team, repository=repository, github_sha="a" * 40)
    for number in (3, 2):
        pull_request = factories.PullRequestFactory(team=team, repository=repository, number=number)
        factories.PullRequestCommitFactory(team=team, pull_request=pull_request, commit=commit)
    files = exported()
    (row,) = files["Commit"]
    assert (row["github_repo"], row["number"], row["numbers"]) == ("acme/api", 2, [2, 3])
    assert [(row["number"], row["github_sha"]) for row in files["PullRequestCommit"]] == [(3, "a" * 40), (2, "a" * 40)]


def test_a_check_carries_the_numbers_of_the_pull_requests_with_its_head(team, exported):
    pull_request = factories.PullRequestFactory(team=team, number=5, head_sha="b" * 40)
    factories.PRCheckRunFactory(team=team, repository=pull_request.repository, head_sha="b" * 40)
    (row,) = exported()["PRCheckRun"]
    assert (row["github_repo"], row["number"], row["numbers"]) == (pull_request.github_repo, 5, [5])


def test_what_is_gone_is_left_out_unless_asked_for(team, exported):
    gone = factories.PullRequestFactory(team=team, gone_at=GONE)
    factories.PRFileFactory(team=team, pull_request=gone)
    factories.PRFileFactory(team=team, gone_at=GONE)
    factories.PullRequestCommitFactory(team=team, gone_at=GONE)
    files = exported()
    assert (len(files["PullRequest"]), len(files["PRFile"]), files["Commit"], files["PullRequestCommit"]) == (
        2,
        0,
        [],
        [],
    )
    files = exported("--with-gone")
    assert (len(files["PullRequest"]), len(files["PRFile"]), len(files["Commit"])) == (3, 2, 1)
    assert {row["gone_at"] for row in files["PRFile"]} == {None, "2026-05-01T00:00:00Z"}


def test_one_repository_is_exported_alone_whatever_the_case_of_its_name(team, exported):
    for name in ("acme/api", "acme/web"):
        pull_request = factories.PullRequestFactory(team=team, repository__full_name=name)
        factories.PRReviewFactory(team=team, pull_request=pull_request)
        factories.DeploymentStatusFactory(team=team, deployment__repository=pull_request.repository)
    files = exported("--repo", "Acme/API")
    for name in ("PullRequest", "PRReview", "Deployment", "DeploymentStatus"):
        assert {row["github_repo"] for row in files[name]} == {"acme/api"}
    assert [row["full_name"] for row in files["Repository"]] == ["acme/api"]


def test_another_teams_rows_stay_out(team, other_team, exported):
    factories.PRReviewFactory(team=other_team)
    factories.PRCheckRunFactory(team=other_team)
    assert {name: rows for name, rows in exported().items() if rows} == {}


def test_csv_has_one_header_and_cells_that_no_spreadsheet_runs(team, tmp_path):
    factories.PullRequestFactory(team=team, title="=1+1", body='two\nlines, "quoted"', totals={"reviews": 1})
    call_command("export_data", "--team", team.slug, "--output", str(tmp_path), "--format", "csv")
    with (tmp_path / "PullRequest.csv").open(newline="") as file:
        (row,) = list(csv.DictReader(file))
    assert (row["title"], row["body"], row["totals"]) == ("'=1+1", 'two\nlines, "quoted"', '{"reviews":1}')
    assert (row["pr_created_at"], row["is_draft"], row["merged_at"]) == ("2026-03-02T09:00:00Z", "false", "")
    assert (tmp_path / "PRReview.csv").read_text().startswith("id,team_id,gone_at,")


def test_it_says_last_in_json_what_it_wrote(team, tmp_path, capsys):
    factories.PullRequestFactory(team=team)
    call_command("export_data", "--team", team.slug, "--output", str(tmp_path), "--json")
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["team"], last["format"], last["rows"]["PullRequest"]) == (team.slug, "jsonl", 1)


def test_it_refuses_what_it_cannot_do_in_words(team, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    for options, message in (
        (["--team", "nobody", "--output", str(tmp_path)], "There is no team “nobody”"),
        (
            ["--team", team.slug, "--output", str(tmp_path), "--repo", "a/b"],
            "keeps no repository 'a/b'. It keeps: none",
        ),
        (["--team", team.slug, "--output", str(blocked)], "Cannot write to"),
        (["--team", team.slug, "--output", str(blocked / "deeper")], "Cannot write to"),
    ):
        with pytest.raises(CommandError, match=message.replace("(", r"\(")):
            call_command("export_data", *options)


def test_it_streams_in_chunks_and_holds_no_scope_between_rows(team, monkeypatch):
    monkeypatch.setattr(queries, "CHUNK", 2)
    pull_request = factories.PullRequestFactory(team=team)
    for _ in range(5):
        factories.PRFileFactory(team=team, pull_request=pull_request)
    (export,) = [export for export in queries.EXPORTS if export.model is PRFile]
    seen = []
    with CaptureQueriesContext(connection) as captured:
        for row in export.rows(team.pk, repository_id=None, with_gone=False):
            assert current_team_id() is None
            seen.append(row["id"])
    assert seen == sorted(seen)
    assert len(seen) == 5
    assert len([query for query in captured if "metrics_prfile" in query["sql"]]) == 3
