"""Deployments: `state` of one is not the state of its statuses; the finish is the time of the success status."""

from __future__ import annotations

from apps.integrations.github.types import Raw
from apps.integrations.services.mapping.values import account, instant, moment, text
from apps.metrics.records import DeploymentRecord, DeploymentStatusRecord


def deployment_record(node: Raw) -> DeploymentRecord:
    """A deployment with its statuses, the oldest first. GraphQL does not say whether it is a production one."""
    statuses = node["statuses"]
    return DeploymentRecord(
        id=int(node["databaseId"]),
        environment=text(node["environment"] or node["latestEnvironment"] or node["originalEnvironment"]),
        sha=node["commitOid"],
        state=(node["state"] or "").lower(),
        created_at=moment(node["createdAt"]),
        node_id=node["id"],
        ref=text((node["ref"] or {}).get("name")),
        task=text(node["task"]),
        description=text(node["description"]),
        creator=account(node["creator"]),
        updated_at=instant(node["updatedAt"]),
        statuses=None if statuses is None else tuple(_statuses(statuses["nodes"])),
        statuses_total=0 if statuses is None else statuses["totalCount"],
    )


def _statuses(nodes: list[Raw]) -> list[DeploymentStatusRecord]:
    found = [
        DeploymentStatusRecord(
            node_id=node["id"],
            state=node["state"].lower(),
            created_at=moment(node["createdAt"]),
            creator=account(node["creator"]),
            description=text(node["description"]),
            url=node["logUrl"] or node["environmentUrl"] or "",
        )
        for node in nodes
    ]
    return sorted(found, key=lambda status: status.created_at)
