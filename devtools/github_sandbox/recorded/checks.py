"""Recorded check runs, deployments and their statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devtools.github_sandbox.entities import App, CheckRun, CheckSuite, Deployment, DeploymentStatus
from devtools.github_sandbox.ids import node_id

if TYPE_CHECKING:
    from devtools.github_sandbox.recorded.repository import RecordedRepository


def load_checks(source: RecordedRepository) -> None:
    suites: dict[int, CheckSuite] = {}
    for line in sorted(
        source.lines("check_runs"), key=lambda line: (line["data"].get("started_at") or "", line["data"]["id"])
    ):
        data = line["data"]
        suite_id = (data.get("check_suite") or {}).get("id") or data["id"]
        suite = suites.get(suite_id)
        if suite is None:
            suite = suites[suite_id] = _suite(source, line["sha"], suite_id, data)
            source.contents.suites.setdefault(line["sha"], []).append(suite)
            source.remember([suite])
        suite.runs.append(_run(data, suite))
    source.remember([run for suite in suites.values() for run in suite.runs])


def _suite(source: RecordedRepository, sha: str, number: int, data: dict[str, Any]) -> CheckSuite:
    moment = data.get("started_at") or source.repository.created_at
    app = data.get("app")
    return CheckSuite(
        database_id=number,
        id=node_id("CS", source.repository.database_id, number),
        repository=source.repository,
        head_sha=sha,
        app=App(app["id"], app["node_id"], app.get("slug") or app["name"].lower(), app["name"]) if app else None,
        created_at=moment,
        updated_at=data.get("completed_at") or moment,
    )


def _run(data: dict[str, Any], suite: CheckSuite) -> CheckRun:
    output = data.get("output") or {}
    return CheckRun(
        database_id=data["id"],
        id=node_id("CR", suite.repository.database_id, data["id"]),  # recorded node ids are not unique
        name=data["name"],
        status=data["status"].upper(),
        conclusion=(data.get("conclusion") or "").upper() or None,
        started_at=data.get("started_at"),
        completed_at=data.get("completed_at"),
        suite=suite,
        details_url=data.get("details_url"),
        external_id=data.get("external_id"),
        title=output.get("title"),
        summary=output.get("summary"),
    )


def load_deployments(source: RecordedRepository) -> None:
    deployments: dict[int, Deployment] = {}
    for data in source.lines("deployments"):
        deployment = deployments[data["id"]] = Deployment(
            database_id=data["id"],
            id=data["node_id"],
            repository=source.repository,
            commit_oid=data["sha"],
            environment=data["environment"],
            created_at=data["created_at"],
            updated_at=data["updated_at"],
            ref_name=data.get("ref"),
            creator=source.account(data.get("creator")),
            task=data.get("task") or "deploy",
            description=data.get("description"),
            production=bool(data.get("production_environment")),
        )
        source.contents.deployments.append(deployment)
    for line in source.lines("deployment_statuses"):
        if line["deployment"] in deployments:
            _status(source, line["data"], deployments[line["deployment"]])
    source.remember(source.contents.deployments)


def _status(source: RecordedRepository, data: dict[str, Any], deployment: Deployment) -> None:
    status = DeploymentStatus(
        database_id=data["id"],
        id=data["node_id"],
        deployment=deployment,
        state=data["state"].upper(),
        created_at=data["created_at"],
        updated_at=data["updated_at"],
        creator=source.account(data.get("creator")),
        description=data.get("description"),
        environment=data.get("environment"),
        environment_url=data.get("environment_url"),
        log_url=data.get("log_url"),
    )
    deployment.statuses.append(status)
    deployment.statuses.sort(key=lambda each: (each.created_at, each.database_id))
    source.remember([status])
