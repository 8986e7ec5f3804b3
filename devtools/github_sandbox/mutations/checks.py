"""Check runs, commit statuses and deployments. None of them moves a pull request's `updated_at`."""

from __future__ import annotations

from devtools.github_sandbox.entities import (
    App,
    CheckRun,
    CheckSuite,
    Deployment,
    DeploymentStatus,
    PullRequest,
    StatusContext,
)
from devtools.github_sandbox.mutations.change import Change, Json, UnknownTarget, action


@action("check")
def check(change: Change) -> Json:
    """Another attempt of the check `name` on the head: completed with `conclusion`, or in the state `status`."""
    pull, now = change.pull, change.now
    name = change.request.get("name") or "tests"
    suite = _suite(change, pull, name)
    number, node = change.new("CR", pull.repository)
    status = str(change.request.get("status") or "COMPLETED").upper()
    done = status == "COMPLETED"
    conclusion = str(change.request.get("conclusion") or "SUCCESS").upper() if done else None
    attempt = 1 + sum(run.name == name for run in suite.runs)
    run = CheckRun(number, node, name, status, conclusion, now, now if done else None, suite, attempt)
    suite.runs.append(run)
    suite.updated_at = now
    pull.repository.contents.nodes[node] = run
    return _told(change, pull, run, "completed" if done else "created")


def _suite(change: Change, pull: PullRequest, name: str) -> CheckSuite:
    """The head's suite that has a check of that name, else a new one of GitHub Actions."""
    contents, sha = pull.repository.contents, pull.head_ref_oid
    suites = contents.suites.setdefault(sha, [])
    for suite in suites:
        if any(run.name == name for run in suite.runs):
            return suite
    number, node = change.new("CS", pull.repository)
    app = App(15_368, "A_kwDOADhj", "github-actions", "GitHub Actions")
    suite = CheckSuite(number, node, pull.repository, sha, app, change.now, change.now, "CI", branch=pull.head_ref_name)
    suites.append(suite)
    contents.nodes[node] = suite
    return suite


@action("finish_check")
def finish_check(change: Change) -> Json:
    """The running check `name` (or any) of the head ends with `conclusion`."""
    pull, name = change.pull, change.request.get("name")
    runs = pull.repository.contents.runs_of(pull.head_ref_oid)
    running = [run for run in runs if run.status != "COMPLETED" and name in (None, run.name)]
    if not running:
        raise UnknownTarget(f"no check runs on {pull.number}")
    run = running[0]
    run.status, run.completed_at = "COMPLETED", change.now
    run.conclusion = str(change.request.get("conclusion") or "SUCCESS").upper()
    run.suite.updated_at = change.now
    return _told(change, pull, run, "completed")


def _told(change: Change, pull: PullRequest, run: CheckRun, word: str) -> Json:
    told = change.emit(pull.repository, "check_run", lambda: change.payloads.check_run(run, word))
    if run.status == "COMPLETED":
        told += change.emit(pull.repository, "check_suite", lambda: change.payloads.check_suite(run, word))
    return {"number": pull.number, "id": run.database_id, "node_id": run.id, "delivered": told}


@action("status")
def status(change: Change) -> Json:
    """A commit status on the head: `name`, `state`."""
    pull = change.pull
    number, node = change.new("SC", pull.repository)
    name, state = change.request.get("name") or "ci/legacy", str(change.request.get("state") or "SUCCESS").upper()
    made = StatusContext(number, node, pull.repository, pull.head_ref_oid, name, state, change.now, change.person())
    pull.repository.contents.statuses.setdefault(pull.head_ref_oid, []).append(made)
    pull.repository.contents.nodes[node] = made
    told = change.emit(pull.repository, "status", lambda: change.payloads.status(made))
    return {"number": pull.number, "id": number, "node_id": node, "delivered": told}


@action("deploy")
def deploy(change: Change) -> Json:
    """Of `sha` (the last merge) to `environment`, with a first status `state`."""
    repository, request, now, person = change.repository, change.request, change.now, change.person()
    number, node = change.new("DE", repository)
    last = repository.contents.last_merge()
    sha = str(request.get("sha") or (last.merge_commit_oid if last else None) or "0" * 40)
    environment = request.get("environment") or "production"
    deployment = Deployment(
        number, node, repository, sha, environment, now, now, repository.default_branch, person, production=True
    )
    repository.contents.deployments.append(deployment)
    repository.contents.nodes[node] = deployment
    told = change.emit(repository, "deployment", lambda: change.payloads.deployment(deployment))
    return {"id": number, "node_id": node, "delivered": told + _new_status(change, deployment)}


def _new_status(change: Change, deployment: Deployment) -> int:
    number, node = change.new("DES", deployment.repository)
    state = str(change.request.get("state") or "SUCCESS").upper()
    made = DeploymentStatus(number, node, deployment, state, change.now, change.now, change.person())
    made.environment = deployment.environment
    deployment.statuses.append(made)
    deployment.updated_at = change.now
    deployment.repository.contents.nodes[node] = made
    return change.emit(deployment.repository, "deployment_status", lambda: change.payloads.deployment_status(made))


@action("deployment_status")
def deployment_status(change: Change) -> Json:
    """Another status `state` of the deployment `id`, or of the last one."""
    found: Deployment = change.chosen(change.repository.contents.deployments, "deployment")
    return {"id": found.database_id, "node_id": found.id, "delivered": _new_status(change, found)}
