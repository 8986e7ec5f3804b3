"""REST's JSON of check runs, statuses and deployments, and the whole set of shapes in one class."""

from __future__ import annotations

from devtools.github_sandbox.entities import (
    Account,
    App,
    CheckRun,
    CheckSuite,
    Deployment,
    DeploymentStatus,
    PullRequest,
    StatusContext,
)
from devtools.github_sandbox.rest_api.pull_shapes import PullShapes
from devtools.github_sandbox.rest_api.shapes import Json
from devtools.github_sandbox.world import Repository

GITHUB = Account("Organization", 9_919, "github", "MDEyOk9yZ2FuaXphdGlvbjk5MTk=", name="GitHub")


class AllShapes(PullShapes):
    def app(self, app: App | None) -> Json | None:
        if app is None:
            return None
        return {
            "id": app.database_id,
            "node_id": app.id,
            "slug": app.slug,
            "name": app.name,
            "owner": self.user(GITHUB),
            "description": app.description,
            "external_url": f"{self.web_url}/apps/{app.slug}",
            "html_url": f"{self.web_url}/apps/{app.slug}",
            "created_at": app.created_at,
            "updated_at": app.updated_at,
            "permissions": {"checks": "write"},
            "events": ["check_run"],
        }

    def pulls_of(self, suite: CheckSuite) -> list[Json]:
        """The open pull requests of that head; GitHub leaves those of forks out."""
        pulls = suite.repository.contents.pulls_of_head(suite.head_sha)
        return [
            self.pull_stub(pull) for pull in pulls if pull.head_repository is suite.repository and pull.state == "OPEN"
        ]

    def pull_stub(self, pull: PullRequest) -> Json:
        return {
            "url": self.pull_url(pull),
            "id": pull.database_id,
            "number": pull.number,
            "head": {"ref": pull.head_ref_name, "sha": pull.head_ref_oid, "repo": self.stub(pull.repository)},
            "base": {"ref": pull.base_ref_name, "sha": pull.base_ref_oid, "repo": self.stub(pull.repository)},
        }

    def stub(self, repository: Repository) -> Json:
        return {"id": repository.database_id, "url": self.repository_url(repository), "name": repository.name}

    def check_run(self, run: CheckRun) -> Json:
        repository = run.suite.repository
        page = f"{self.web_url}/{repository.full_name}/runs/{run.database_id}"
        url = f"{self.repository_url(repository)}/check-runs/{run.database_id}"
        return {
            "id": run.database_id,
            "node_id": run.id,
            "name": run.name,
            "head_sha": run.suite.head_sha,
            "external_id": run.external_id or "",
            "url": url,
            "html_url": page,
            "details_url": run.details_url or page,
            "status": run.status.lower(),
            "conclusion": run.conclusion.lower() if run.conclusion else None,
            "started_at": run.started_at,
            "completed_at": run.completed_at,
            "output": {
                "title": run.title,
                "summary": run.summary,
                "text": None,
                "annotations_count": 0,
                "annotations_url": f"{url}/annotations",
            },
            "check_suite": {"id": run.suite.database_id},
            "app": self.app(run.suite.app),
            "pull_requests": self.pulls_of(run.suite),
        }

    def check_suite(self, suite: CheckSuite) -> Json:
        url = f"{self.repository_url(suite.repository)}/check-suites/{suite.database_id}"
        done = all(run.status == "COMPLETED" for run in suite.runs)
        failed = any(run.conclusion == "FAILURE" for run in {run.name: run for run in suite.runs}.values())
        return {
            "id": suite.database_id,
            "node_id": suite.id,
            "head_branch": suite.branch,
            "head_sha": suite.head_sha,
            "url": url,
            "check_runs_url": f"{url}/check-runs",
            "latest_check_runs_count": len({run.name for run in suite.runs}),
            "before": None,
            "after": suite.head_sha,
            "head_commit": self.head_commit(suite),
            "status": "completed" if done else "in_progress",
            "conclusion": ("failure" if failed else "success") if done else None,
            "app": self.app(suite.app),
            "pull_requests": self.pulls_of(suite),
            "created_at": suite.created_at,
            "updated_at": suite.updated_at,
        }

    def head_commit(self, suite: CheckSuite) -> Json:
        commit = suite.repository.contents.commits.get(suite.head_sha)
        person = {"name": commit.author_name, "email": commit.author_email} if commit else {"name": "", "email": ""}
        return {
            "id": suite.head_sha,
            "tree_id": suite.head_sha[::-1],
            "message": commit.message if commit else "",
            "timestamp": commit.committed_date if commit else suite.created_at,
            "author": person,
            "committer": person,
        }

    def status(self, status: StatusContext) -> Json:
        return {
            "id": status.database_id,
            "node_id": status.id,
            "url": f"{self.repository_url(status.repository)}/statuses/{status.sha}",
            "avatar_url": f"{self.web_url}/avatars/{status.creator.database_id if status.creator else 0}",
            "state": status.state.lower(),
            "context": status.context,
            "description": status.description,
            "target_url": status.target_url,
            "creator": self.user(status.creator),
            "created_at": status.created_at,
            "updated_at": status.created_at,
        }

    def deployment(self, deployment: Deployment) -> Json:
        url = f"{self.repository_url(deployment.repository)}/deployments/{deployment.database_id}"
        return {
            "id": deployment.database_id,
            "node_id": deployment.id,
            "url": url,
            "sha": deployment.commit_oid,
            "ref": deployment.ref_name or deployment.commit_oid,
            "task": deployment.task,
            "payload": {},
            "environment": deployment.environment,
            "original_environment": deployment.environment,
            "performed_via_github_app": None,
            "production_environment": deployment.production,
            "transient_environment": False,
            "description": deployment.description,
            "creator": self.user(deployment.creator),
            "created_at": deployment.created_at,
            "updated_at": deployment.updated_at,
            "statuses_url": f"{url}/statuses",
            "repository_url": self.repository_url(deployment.repository),
        }

    def deployment_status(self, status: DeploymentStatus) -> Json:
        deployment = status.deployment
        url = f"{self.repository_url(deployment.repository)}/deployments/{deployment.database_id}"
        return {
            "id": status.database_id,
            "node_id": status.id,
            "url": f"{url}/statuses/{status.database_id}",
            "state": status.state.lower(),
            "creator": self.user(status.creator),
            "description": status.description or "",
            "environment": status.environment or deployment.environment,
            "target_url": "",
            "environment_url": status.environment_url or "",
            "log_url": status.log_url or "",
            "created_at": status.created_at,
            "updated_at": status.updated_at,
            "deployment_url": url,
            "performed_via_github_app": None,
            "repository_url": self.repository_url(deployment.repository),
        }
