"""Check suites, check runs, commit statuses, and the rollup of the latest of them."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from devtools.github_sandbox.entities import CheckRun, CheckSuite, Commit, PullRequest, StatusContext
from devtools.github_sandbox.graphql_api.connections import Page, page_of
from devtools.github_sandbox.graphql_api.registry import Call, resolves
from devtools.github_sandbox.graphql_api.resolvers.commits import commit_for
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.world import Repository

_FAILED = {"FAILURE", "ERROR", "TIMED_OUT", "CANCELLED", "ACTION_REQUIRED", "STARTUP_FAILURE", "STALE"}
_PENDING = {"PENDING", "QUEUED", "IN_PROGRESS", "WAITING", "REQUESTED", "EXPECTED"}


class Rollup(NamedTuple):
    """What a commit's checks say together: the latest attempt of each."""

    repository: Repository
    oid: str
    contexts: list[CheckRun | StatusContext]


def rollup_of(repository: Repository, oid: str) -> Rollup | None:
    contents = repository.contents
    contexts: list[CheckRun | StatusContext] = [*contents.latest_runs_of(oid), *contents.latest_statuses_of(oid)]
    return Rollup(repository, oid, contexts) if contexts else None


def state_of(context: CheckRun | StatusContext) -> str:
    """One word for a check run (its conclusion, or its status while it runs) or a status."""
    if isinstance(context, CheckRun):
        return context.conclusion or context.status
    return context.state


def combined_state(contexts: list[Any]) -> str:
    states = {state_of(context) for context in contexts}
    if "ERROR" in states:
        return "ERROR"
    if states & _FAILED:
        return "FAILURE"
    return "PENDING" if states & _PENDING else "SUCCESS"


@resolves("PullRequest", "statusCheckRollup")
def pull_rollup(pull: PullRequest, _call: Call) -> Rollup | None:
    return rollup_of(pull.repository, pull.head_ref_oid)


@resolves("Commit", "statusCheckRollup")
def commit_rollup(commit: Commit, _call: Call) -> Rollup | None:
    return rollup_of(commit.repository, commit.oid)


@resolves("Commit", "status")
def commit_status(commit: Commit, _call: Call) -> Rollup | None:
    statuses = commit.repository.contents.latest_statuses_of(commit.oid)
    return Rollup(commit.repository, commit.oid, [*statuses]) if statuses else None


@resolves("StatusCheckRollup", "id")
def rollup_id(rollup: Rollup, _call: Call) -> str:
    return node_id("SCR", rollup.repository.database_id, int(rollup.oid[:15], 16))


@resolves("Status", "id")
def status_id(rollup: Rollup, _call: Call) -> str:
    return node_id("ST", rollup.repository.database_id, int(rollup.oid[:15], 16))


@resolves("StatusCheckRollup Status", "state")
def rollup_state(rollup: Rollup, _call: Call) -> str:
    return combined_state(rollup.contexts)


@resolves("StatusCheckRollup Status", "commit")
def rollup_commit(rollup: Rollup, _call: Call) -> Commit:
    return commit_for(rollup.repository, rollup.oid, "1970-01-01T00:00:00Z")


@resolves("Status", "context")
def one_status(rollup: Rollup, call: Call) -> Any:
    name = call.arguments["name"]
    return next((each for each in rollup.contexts if isinstance(each, StatusContext) and each.context == name), None)


@resolves("StatusCheckRollup", "contexts")
def rollup_contexts(rollup: Rollup, call: Call) -> Page:
    page = page_of(rollup.contexts, call.arguments)
    page.more["contexts"] = rollup.contexts
    return page


def _of(page: Page, kind: type) -> list[Any]:
    return [context for context in page.more["contexts"] if isinstance(context, kind)]


@resolves("StatusCheckRollupContextConnection", "checkRunCount")
def check_run_count(page: Page, _call: Call) -> int:
    return len(_of(page, CheckRun))


@resolves("StatusCheckRollupContextConnection", "statusContextCount")
def status_context_count(page: Page, _call: Call) -> int:
    return len(_of(page, StatusContext))


@resolves("StatusCheckRollupContextConnection", "checkRunCountsByState")
def check_run_counts(page: Page, _call: Call) -> list[tuple[str, int]]:
    return sorted(Counter(map(state_of, _of(page, CheckRun))).items())


@resolves("StatusCheckRollupContextConnection", "statusContextCountsByState")
def status_context_counts(page: Page, _call: Call) -> list[tuple[str, int]]:
    return sorted(Counter(map(state_of, _of(page, StatusContext))).items())


@resolves("CheckRunStateCount StatusContextStateCount", "state")
def counted_state(counted: tuple[str, int], _call: Call) -> str:
    return counted[0]


@resolves("CheckRunStateCount StatusContextStateCount", "count")
def counted_count(counted: tuple[str, int], _call: Call) -> int:
    return counted[1]


@resolves("CheckRun", "checkSuite")
def run_suite(run: CheckRun, _call: Call) -> CheckSuite:
    return run.suite


@resolves("CheckRun", "repository")
def run_repository(run: CheckRun, _call: Call) -> Repository:
    return run.suite.repository


@resolves("CheckRun StatusContext", "isRequired")
def is_required(_context: Any, _call: Call) -> bool:
    return False


@resolves("CheckRun", "text")
def run_text(_run: CheckRun, _call: Call) -> None:
    return None


@resolves("CheckRun", "resourcePath")
def run_path(run: CheckRun, _call: Call) -> str:
    return f"/{run.suite.repository.full_name}/runs/{run.database_id}"


@resolves("CheckRun", "url", "permalink")
def run_url(run: CheckRun, call: Call) -> str:
    return call.context.web_url + run_path(run, call)


@resolves("CheckRun", "detailsUrl")
def run_details_url(run: CheckRun, call: Call) -> str:
    """Where the App has nothing to show, the run's own page: as in REST."""
    return run.details_url or run_url(run, call)


@resolves("StatusContext", "commit")
def context_commit(status: StatusContext, _call: Call) -> Commit:
    return commit_for(status.repository, status.sha, status.created_at)


@resolves("StatusContext", "avatarUrl")
def context_avatar(status: StatusContext, call: Call) -> str | None:
    return f"{call.context.web_url}/avatars/{status.creator.database_id}" if status.creator else None


@resolves("Commit", "checkSuites")
def check_suites(commit: Commit, call: Call) -> Page:
    wanted = call.arguments.get("filterBy") or {}
    rows = commit.repository.contents.suites.get(commit.oid, [])
    if wanted.get("appId") is not None:
        rows = [suite for suite in rows if suite.app is not None and suite.app.database_id == wanted["appId"]]
    if wanted.get("checkName") is not None:
        rows = [suite for suite in rows if any(run.name == wanted["checkName"] for run in suite.runs)]
    return page_of(rows, call.arguments)


@resolves("CheckSuite", "checkRuns")
def suite_runs(suite: CheckSuite, call: Call) -> Page:
    """LATEST (the default) has one run for each name, ALL every attempt."""
    wanted = call.arguments.get("filterBy") or {}
    rows = suite.runs if wanted.get("checkType") == "ALL" else latest_attempts(suite)
    statuses = wanted.get("statuses") or ([wanted["status"]] if wanted.get("status") else None)
    rows = [
        run
        for run in rows
        if wanted.get("checkName") in (None, run.name)
        and (statuses is None or run.status in statuses)
        and (wanted.get("conclusions") is None or run.conclusion in wanted["conclusions"])
        and (wanted.get("appId") is None or (suite.app is not None and suite.app.database_id == wanted["appId"]))
    ]
    return page_of(rows, call.arguments)


def latest_attempts(suite: CheckSuite) -> list[CheckRun]:
    return list({run.name: run for run in suite.runs}.values())


@resolves("CheckSuite", "commit")
def suite_commit(suite: CheckSuite, _call: Call) -> Commit:
    return commit_for(suite.repository, suite.head_sha, suite.created_at)


@resolves("CheckSuite", "status")
def suite_status(suite: CheckSuite, _call: Call) -> str:
    runs = latest_attempts(suite)
    return "COMPLETED" if all(run.status == "COMPLETED" for run in runs) else "IN_PROGRESS"


@resolves("CheckSuite", "conclusion")
def suite_conclusion(suite: CheckSuite, call: Call) -> str | None:
    if suite_status(suite, call) != "COMPLETED":
        return None
    return "SUCCESS" if combined_state(latest_attempts(suite)) == "SUCCESS" else "FAILURE"


@resolves("CheckSuite", "branch")
def suite_branch(suite: CheckSuite, _call: Call) -> tuple[Repository, str] | None:
    return (suite.repository, suite.branch) if suite.branch else None


@resolves("CheckSuite", "creator")
def suite_creator(_suite: CheckSuite, _call: Call) -> None:
    return None


@resolves("CheckSuite", "resourcePath")
def suite_path(suite: CheckSuite, _call: Call) -> str:
    return f"/{suite.repository.full_name}/commit/{suite.head_sha}/checks?check_suite_id={suite.database_id}"


@resolves("CheckSuite", "url")
def suite_url(suite: CheckSuite, call: Call) -> str:
    return call.context.web_url + suite_path(suite, call)


@resolves("CheckSuite", "workflowRun")
def workflow_run(suite: CheckSuite, _call: Call) -> CheckSuite | None:
    """Only suites of GitHub Actions have one. The suite itself stands for its run and its workflow."""
    return suite if suite.workflow_name else None


@resolves("WorkflowRun", "checkSuite")
@resolves("WorkflowRun", "workflow")
def same_suite(suite: CheckSuite, _call: Call) -> CheckSuite:
    return suite


@resolves("WorkflowRun", "id")
def workflow_run_id(suite: CheckSuite, _call: Call) -> str:
    return node_id("WFR", suite.repository.database_id, suite.database_id)


@resolves("WorkflowRun", "event")
def workflow_event(_suite: CheckSuite, _call: Call) -> str:
    return "pull_request"


@resolves("WorkflowRun Workflow", "url")
def workflow_run_url(suite: CheckSuite, call: Call) -> str:
    return f"{call.context.web_url}/{suite.repository.full_name}/actions/runs/{suite.database_id}"


@resolves("Workflow", "id")
def workflow_id(suite: CheckSuite, _call: Call) -> str:
    return f"{node_id('W', suite.repository.database_id, 0)}{suite.workflow_name}"


@resolves("Workflow", "databaseId")
def workflow_database_id(suite: CheckSuite, _call: Call) -> int:
    return 10_000 + sum(map(ord, suite.workflow_name or ""))


@resolves("Workflow", "name")
def workflow_name(suite: CheckSuite, _call: Call) -> str:
    return suite.workflow_name or ""


@resolves("Workflow", "state")
def workflow_state(_suite: CheckSuite, _call: Call) -> str:
    return "ACTIVE"


@resolves("App", "url")
def app_url(app: Any, call: Call) -> str:
    return f"{call.context.web_url}/apps/{app.slug}"
