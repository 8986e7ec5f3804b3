"""The CI status of a head commit."""

from __future__ import annotations

import pytest

from apps.metrics.calculations import ci_status_of, derive
from apps.metrics.tests.histories import at, check, context, pull_request


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ([check("unit"), check("lint")], "success"),
        ([check("unit", "failure"), check("lint", ""), check("types")], "failure"),
        ([check("unit", "timed_out")], "failure"),
        ([check("unit", "startup_failure")], "failure"),
        ([check("unit", "action_required")], "failure"),
        ([context("ci/build", "error")], "failure"),
        ([context("ci/build", "failure"), check("unit")], "failure"),
        ([check("unit", ""), check("lint")], "pending"),
        ([check("unit", "", status="queued")], "pending"),
        ([check("unit", "", status="waiting")], "pending"),
        ([context("ci/build", ""), check("unit")], "pending"),
        ([check("unit"), check("docs", "skipped"), check("size", "neutral"), check("old", "stale")], "success"),
        ([check("unit", "cancelled"), check("lint")], "success"),
        ([check("unit", "skipped"), check("lint", "neutral"), check("a", "stale"), check("b", "cancelled")], None),
        ([context("ci/build")], "success"),
        ([], None),
        ([check("unit", "failure", head_sha="before")], None),
        ([check("unit", "failure", head_sha="before"), check("unit")], "success"),
    ],
)
def test_it_tells_the_ci_status_of_the_head_commit(checks, status):
    assert derive(pull_request(head_sha="head", checks=tuple(checks))).ci_status == status


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ([check("unit", "failure", id=5), check("unit", "success", id=8)], "success"),
        ([check("unit", "success", id=5), check("unit", "failure", id=8)], "failure"),
        ([check("unit", "failure", id=5), check("unit", "", id=8)], "pending"),
        ([check("unit", "failure", id=5), check("unit", "success", id=8, workflow="nightly")], "failure"),
        ([check("unit", "failure", id=5), check("unit", "success", id=8, app="circleci")], "failure"),
        ([check("unit", "failure", id=5), context("unit", "success")], "failure"),
        (
            [
                context("ci/build", "failure", completed_at=at(1)),
                context("ci/build", "success", completed_at=at(2)),
            ],
            "success",
        ),
    ],
    ids=[
        "passed when run again",
        "failed when run again",
        "running again",
        "another workflow's",
        "another app's",
        "a context of the same name",
        "a context that came later",
    ],
)
def test_it_takes_the_latest_run_of_each_check_in_any_order(checks, status):
    assert ci_status_of(checks, "head") == ci_status_of(checks[::-1], "head") == status
