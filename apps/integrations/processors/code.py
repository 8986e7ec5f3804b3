"""Events of commits: pushes, and what machines say of them or do with them. Pure: payload in, records out.

https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from dataclasses import replace

from apps.integrations.github.types import Raw
from apps.integrations.processors.pull_requests import number
from apps.integrations.processors.told import ChecksEnded, ChecksTold, DeploymentTold, Nothing, Pushed, Told
from apps.integrations.services.mapping import rest

BRANCH = "refs/heads/"

SUCCEEDED = {"success": "active"}
"""What a deployment's state is called where it is not called as its latest status: `Deployment.state` of GraphQL."""


def push(payload: Raw) -> Told:
    """`push`: to a branch of the repository itself; forks tell their own hooks."""
    ref, after = payload["ref"], payload["after"]
    if not ref.startswith(BRANCH) or payload["deleted"]:
        return Nothing("No branch has another end.")
    return Pushed(ref.removeprefix(BRANCH), after)


def check_run(payload: Raw) -> Told:
    """`check_run`: each attempt is a run of its own. `pull_requests` is empty for forks."""
    run = payload["check_run"]
    here = payload["repository"]["id"]
    entries = run.get("pull_requests") or []
    numbers = tuple(number(entry["number"]) for entry in entries if entry["base"]["repo"]["id"] == here)
    record = rest.check_run_record(run)
    return ChecksTold(record.head_sha, (record,), numbers)


def check_suite(payload: Raw) -> Told:
    """`check_suite`: that it began says nothing which its runs do not say."""
    if payload["action"] != "completed":
        return Nothing("Its check runs tell by themselves.")
    return ChecksEnded(payload["check_suite"]["head_sha"])


def status(payload: Raw) -> Told:
    return ChecksTold(payload["sha"], (rest.status_record(payload, sha=payload["sha"]),))


def deployment(payload: Raw) -> Told:
    """`deployment`: created."""
    return DeploymentTold(replace(rest.deployment_record(payload["deployment"]), statuses=(), statuses_total=None))


def deployment_status(payload: Raw) -> Told:
    """`deployment_status`: created. GitHub is silent of `inactive` ones, which follow from a newer deployment."""
    record = rest.deployment_status_record(payload["deployment_status"])
    state = SUCCEEDED.get(record.state, record.state)
    found = rest.deployment_record(payload["deployment"], state=state)
    return DeploymentTold(replace(found, statuses=(record,), statuses_total=None))
