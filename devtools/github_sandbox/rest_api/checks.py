"""https://docs.github.com/rest/checks · https://docs.github.com/rest/commits/statuses · https://docs.github.com/rest/deployments"""

from __future__ import annotations

from devtools.github_sandbox.entities import Deployment
from devtools.github_sandbox.rest_api.answers import RestAnswer, RestCall, RestError, not_found
from devtools.github_sandbox.world import Repository


def _known(call: RestCall, owner: str, name: str, sha: str) -> Repository:
    """The repository, if it has that commit: a pull request holds it, or checks, statuses or deployments name it."""
    repository = call.repository(f"{owner}/{name}")
    contents = repository.contents
    if sha in contents.commits or sha in contents.suites or sha in contents.statuses:
        return repository
    if contents.pulls_of_head(sha) or contents.pulls_with(sha):
        return repository
    raise RestError(422, f"No commit found for SHA: {sha}")


def commit(call: RestCall, owner: str, name: str, sha: str) -> RestAnswer:
    found = _known(call, owner, name, sha).contents.commits.get(sha)
    if found is None:
        raise RestError(422, f"No commit found for SHA: {sha}")
    return RestAnswer(call.shapes.commit(found, detail=True))


def pulls_of_commit(call: RestCall, owner: str, name: str, sha: str) -> RestAnswer:
    repository = _known(call, owner, name, sha)
    rows = repository.contents.pulls_with(sha)
    return call.pages(rows, lambda pull: call.shapes.pull(pull, call.session))


def check_runs(call: RestCall, owner: str, name: str, sha: str) -> RestAnswer:
    """`filter` latest (default) or all, `check_name`, `status`."""
    contents = _known(call, owner, name, sha).contents
    rows = contents.runs_of(sha) if call.query.get("filter") == "all" else contents.latest_runs_of(sha)
    wanted, status = call.query.get("check_name"), call.query.get("status")
    rows = [run for run in rows if wanted in (None, run.name) and status in (None, run.status.lower())]
    return call.pages(rows, call.shapes.check_run, "check_runs")


def check_suites(call: RestCall, owner: str, name: str, sha: str) -> RestAnswer:
    rows = _known(call, owner, name, sha).contents.suites.get(sha, [])
    repository = call.shapes.repository(call.repository(f"{owner}/{name}"), call.session)
    return call.pages(rows, lambda suite: call.shapes.check_suite(suite) | {"repository": repository}, "check_suites")


def combined_status(call: RestCall, owner: str, name: str, sha: str) -> RestAnswer:
    repository = _known(call, owner, name, sha)
    rows = repository.contents.latest_statuses_of(sha)
    states = {status.state for status in rows}
    state = "failure" if states & {"FAILURE", "ERROR"} else "success" if rows and states == {"SUCCESS"} else "pending"
    answer = call.pages(rows, call.shapes.status, "statuses")
    answer.data |= {"state": state, "sha": sha, "repository": call.shapes.repository(repository, call.session)}
    url = f"{call.shapes.repository_url(repository)}/commits/{sha}"
    answer.data |= {"url": f"{url}/status", "commit_url": url}
    return answer


def statuses(call: RestCall, owner: str, name: str, sha: str) -> RestAnswer:
    rows = _known(call, owner, name, sha).contents.statuses.get(sha, [])
    return call.pages(rows[::-1], call.shapes.status)


def deployments(call: RestCall, owner: str, name: str) -> RestAnswer:
    """Newest first; `sha`, `environment`, `ref`, `task`."""
    rows = call.repository(f"{owner}/{name}").contents.deployments
    query = call.query
    rows = [
        each
        for each in rows
        if query.get("sha") in (None, each.commit_oid)
        and query.get("environment") in (None, each.environment)
        and query.get("ref") in (None, each.ref_name)
        and query.get("task") in (None, each.task)
    ]
    rows.sort(key=lambda each: (each.created_at, each.database_id), reverse=True)
    return call.pages(rows, call.shapes.deployment)


def _deployment(call: RestCall, owner: str, name: str, number: int) -> Deployment:
    rows = call.repository(f"{owner}/{name}").contents.deployments
    found = next((each for each in rows if each.database_id == number), None)
    if found is None:
        raise not_found()
    return found


def deployment(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    return RestAnswer(call.shapes.deployment(_deployment(call, owner, name, number)))


def deployment_statuses(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    return call.pages(_deployment(call, owner, name, number).statuses[::-1], call.shapes.deployment_status)
