"""Webhook payloads of what is in the world. https://docs.github.com/webhooks/webhook-events-and-payloads"""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.access import Session
from devtools.github_sandbox.entities import (
    Account,
    CheckRun,
    Comment,
    Deployment,
    DeploymentStatus,
    Issue,
    PullRequest,
    Review,
    ReviewComment,
    ReviewThread,
    StatusContext,
)
from devtools.github_sandbox.rest_api.check_shapes import AllShapes
from devtools.github_sandbox.world import Repository

Json = dict[str, Any]


class Payloads:
    """`session` decides what `permissions` say; `sender` is who did it."""

    def __init__(self, shapes: AllShapes, session: Session) -> None:
        self.shapes = shapes
        self.session = session

    def common(self, repository: Repository, sender: Account | None, action: str | None) -> Json:
        payload: Json = {"action": action} if action else {}
        payload["repository"] = self.shapes.repository(repository, self.session)
        payload["sender"] = self.shapes.user_or_ghost(sender or self.session.account)
        if repository.owner.typename == "Organization":
            payload["organization"] = self.shapes.organization(repository.owner)
        return payload

    def pull_request(self, pull: PullRequest, action: str, sender: Account | None = None, **more: Any) -> Json:
        payload = self.common(pull.repository, sender or pull.author, action)
        return payload | {"number": pull.number, "pull_request": self.shapes.full_pull(pull, self.session)} | more

    def review(self, review: Review, action: str) -> Json:
        pull = review.pull_request
        data = self.shapes.review(review) | {"state": review.state.lower(), "updated_at": review.updated_at}
        payload = self.common(pull.repository, review.author, action)
        return payload | {"review": data, "pull_request": self.shapes.pull(pull, self.session)}

    def review_comment(self, comment: ReviewComment, action: str) -> Json:
        pull = comment.thread.pull_request
        payload = self.common(pull.repository, comment.author, action)
        data = self.shapes.review_comment(comment)
        return payload | {"comment": data, "pull_request": self.shapes.pull(pull, self.session)}

    def review_thread(self, thread: ReviewThread, action: str, sender: Account | None = None) -> Json:
        pull = thread.pull_request
        data = {"node_id": thread.id, "comments": [self.shapes.review_comment(each) for each in thread.comments]}
        payload = self.common(pull.repository, sender, action)
        return payload | {"thread": data, "pull_request": self.shapes.pull(pull, self.session)}

    def issue_comment(self, comment: Comment, action: str) -> Json:
        parent, shapes = comment.parent, self.shapes
        issue = shapes.issue(parent) if isinstance(parent, Issue) else shapes.as_issue(parent, self.session)
        payload = self.common(parent.repository, comment.author, action)
        return payload | {"issue": issue, "comment": self.shapes.issue_comment(comment)}

    def check_run(self, run: CheckRun, action: str) -> Json:
        payload = self.common(run.suite.repository, None, action)
        return payload | {"check_run": self.shapes.check_run(run)}

    def check_suite(self, run: CheckRun, action: str) -> Json:
        payload = self.common(run.suite.repository, None, action)
        return payload | {"check_suite": self.shapes.check_suite(run.suite)}

    def status(self, status: StatusContext) -> Json:
        payload = self.common(status.repository, status.creator, None)
        return (
            payload
            | self.shapes.status(status)
            | {"sha": status.sha, "name": status.repository.full_name, "branches": []}
        )

    def deployment(self, deployment: Deployment) -> Json:
        payload = self.common(deployment.repository, deployment.creator, "created")
        data = {"deployment": self.shapes.deployment(deployment), "workflow": None, "workflow_run": None}
        return payload | data

    def deployment_status(self, status: DeploymentStatus) -> Json:
        payload = self.common(status.deployment.repository, status.creator, "created")
        data = {
            "deployment_status": self.shapes.deployment_status(status),
            "deployment": self.shapes.deployment(status.deployment),
        }
        return payload | data

    def push(self, pull: PullRequest, before: str, forced: bool) -> Json:
        payload = self.common(pull.repository, pull.author, None)
        head = pull.commits[-1]
        page = f"{self.shapes.web_url}/{pull.repository.full_name}"
        commit = {
            "id": head.oid,
            "tree_id": head.oid[::-1],
            "distinct": True,
            "message": head.message,
            "timestamp": head.committed_date,
            "url": f"{page}/commit/{head.oid}",
            "author": {"name": head.author_name, "email": head.author_email},
            "committer": {"name": head.committer_name, "email": head.committer_email},
            "added": [],
            "removed": [],
            "modified": [],
        }
        return payload | {
            "ref": f"refs/heads/{pull.head_ref_name}",
            "base_ref": None,
            "before": before,
            "after": head.oid,
            "created": False,
            "deleted": False,
            "forced": forced,
            "compare": f"{page}/compare/{before[:12]}...{head.oid[:12]}",
            "commits": [commit],
            "head_commit": commit,
            "pusher": {"name": head.author_name, "email": head.author_email},
        }

    def repository(self, repository: Repository, action: str, changes: Json | None = None) -> Json:
        payload = self.common(repository, None, action)
        return payload | ({"changes": changes} if changes else {})

    def organization_renamed(self, organization: Account, old: str) -> Json:
        return {
            "action": "renamed",
            "changes": {"login": {"from": old}},
            "organization": self.shapes.organization(organization),
            "sender": self.shapes.user_or_ghost(self.session.account),
        }
