"""REST's JSON of accounts, repositories and issues; `pull_shapes` has what belongs to pull requests."""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.access import Session
from devtools.github_sandbox.entities import GHOST, Account, Comment, Issue, Label, Milestone, Team
from devtools.github_sandbox.world import Repository

Json = dict[str, Any]
_USER_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


class Shapes:
    """`api_url` is the root the client used, so that the URLs in an answer lead back to it."""

    def __init__(self, api_url: str, web_url: str) -> None:
        self.api_url = api_url
        self.web_url = web_url

    def user(self, account: Account | None) -> Json | None:
        """The short form of an account. None stays null (reviews, comments), as does a deleted one."""
        if account is None or account.is_deleted:
            return None
        url = f"{self.api_url}/users/{account.login}"
        return {
            "login": account.login,
            "id": account.database_id,
            "node_id": account.id,
            "avatar_url": f"{self.web_url}/avatars/{account.database_id}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.web_url}/{account.login}",
            **{name: url + path for name, path in _USER_URLS.items()},
            "type": "User" if account.typename == "Mannequin" else account.typename,
            "site_admin": False,
        }

    def user_or_ghost(self, account: Account | None) -> Json:
        """The author of a pull request or issue: REST shows a deleted account as the user `ghost`."""
        return self.user(account) or self.user(GHOST) or {}

    def reactions(self, url: str) -> Json:
        """Nobody reacts here."""
        return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(_REACTIONS, 0)}

    def assigned(self, accounts: list[Account]) -> Json:
        assignees = [self.user(account) for account in accounts if not account.is_deleted]
        return {"assignee": assignees[0] if assignees else None, "assignees": assignees}

    def full_user(self, account: Account) -> Json:
        return {
            **(self.user(account) or {}),
            "name": account.name,
            "company": None,
            "blog": "",
            "location": None,
            "email": account.email or None,
            "bio": None,
            "hireable": None,
            "public_gists": 0,
            "public_repos": sum(not each.is_private for each in account.repositories),
            "followers": 0,
            "following": 0,
            "created_at": account.created_at,
            "updated_at": account.created_at,
        }

    def organization(self, account: Account) -> Json:
        url = f"{self.api_url}/orgs/{account.login}"
        return {
            "login": account.login,
            "id": account.database_id,
            "node_id": account.id,
            "url": url,
            "repos_url": f"{url}/repos",
            "events_url": f"{url}/events",
            "hooks_url": f"{url}/hooks",
            "issues_url": f"{url}/issues",
            "members_url": f"{url}/members{{/member}}",
            "public_members_url": f"{url}/public_members{{/member}}",
            "avatar_url": f"{self.web_url}/avatars/{account.database_id}",
            "description": account.description,
        }

    def full_organization(self, account: Account) -> Json:
        return {
            **self.organization(account),
            "name": account.name,
            "html_url": f"{self.web_url}/{account.login}",
            "created_at": account.created_at,
            "updated_at": account.created_at,
            "archived_at": None,
            "followers": 0,
            "following": 0,
            "public_gists": 0,
            "has_organization_projects": False,
            "has_repository_projects": False,
            "public_repos": sum(not each.is_private for each in account.repositories),
            "type": "Organization",
        }

    def team(self, team: Team) -> Json:
        url = f"{self.api_url}/organizations/{team.organization.database_id}/team/{team.database_id}"
        return {
            "id": team.database_id,
            "node_id": team.id,
            "name": team.name,
            "slug": team.slug,
            "description": team.description,
            "privacy": "closed" if team.privacy == "VISIBLE" else "secret",
            "permission": "push",
            "type": "organization",
            "url": url,
            "members_url": f"{url}/members{{/member}}",
            "repositories_url": f"{url}/repos",
            "html_url": f"{self.web_url}/orgs/{team.organization.login}/teams/{team.slug}",
            "parent": self.team(team.parent_team) if team.parent_team else None,
        }

    def repository_url(self, repository: Repository) -> str:
        return f"{self.api_url}/repos/{repository.full_name}"

    def repository(self, repository: Repository, session: Session) -> Json:
        url = self.repository_url(repository)
        permission, open_count = session.permission(repository), repository.count_pulls(["OPEN"])
        return {
            "id": repository.database_id,
            "node_id": repository.id,
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.is_private,
            "owner": self.user(repository.owner),
            "html_url": f"{self.web_url}/{repository.full_name}",
            "description": repository.description,
            "fork": repository.is_fork,
            "url": url,
            **{name: url + path for name, path in _REPOSITORY_URLS.items()},
            **self._clone_urls(repository),
            "created_at": repository.created_at,
            "updated_at": repository.updated_at,
            "pushed_at": repository.pushed_at,
            "homepage": None,
            "size": 0 if repository.pushed_at is None else 1_024,
            **dict.fromkeys(("stargazers_count", "watchers_count", "forks_count", "watchers", "forks"), 0),
            "open_issues_count": open_count,
            "open_issues": open_count,
            "language": repository.language,
            "has_issues": True,
            **dict.fromkeys(("has_projects", "has_wiki", "has_pages", "has_downloads", "has_discussions"), False),
            **dict.fromkeys(("is_template", "web_commit_signoff_required"), False),
            **dict.fromkeys(("mirror_url", "license"), None),
            "allow_forking": True,
            "topics": [],
            "archived": repository.is_archived,
            "disabled": repository.is_disabled,
            "visibility": "private" if repository.is_private else "public",
            "default_branch": repository.default_branch,
            "permissions": {
                "admin": permission == "ADMIN",
                "maintain": permission == "ADMIN",
                "push": permission in ("ADMIN", "WRITE"),
                "triage": permission in ("ADMIN", "WRITE"),
                "pull": True,
            },
        }

    def _clone_urls(self, repository: Repository) -> Json:
        page = f"{self.web_url}/{repository.full_name}"
        host = self.web_url.partition("://")[2]
        return {
            "clone_url": f"{page}.git",
            "svn_url": page,
            "git_url": f"git://{host}/{repository.full_name}.git",
            "ssh_url": f"git@{host}:{repository.full_name}.git",
        }

    def label(self, label: Label) -> Json:
        return {
            "id": label.database_id,
            "node_id": label.id,
            "url": f"{self.repository_url(label.repository)}/labels/{label.name}",
            "name": label.name,
            "description": label.description,
            "color": label.color,
            "default": label.is_default,
        }

    def milestone(self, milestone: Milestone | None) -> Json | None:
        if milestone is None:
            return None
        return {
            "id": milestone.database_id,
            "node_id": milestone.id,
            "url": f"{self.repository_url(milestone.repository)}/milestones/{milestone.number}",
            "labels_url": f"{self.repository_url(milestone.repository)}/milestones/{milestone.number}/labels",
            "html_url": f"{self.web_url}/{milestone.repository.full_name}/milestone/{milestone.number}",
            "number": milestone.number,
            "title": milestone.title,
            "description": milestone.description,
            "creator": self.user(milestone.creator),
            "open_issues": 0,
            "closed_issues": 0,
            "state": milestone.state.lower(),
            "created_at": milestone.created_at,
            "updated_at": milestone.updated_at,
            "due_on": milestone.due_on,
            "closed_at": milestone.closed_at,
        }

    def issue(self, issue: Issue) -> Json:
        url = f"{self.repository_url(issue.repository)}/issues/{issue.number}"
        return {
            "id": issue.database_id,
            "node_id": issue.id,
            "url": url,
            "repository_url": self.repository_url(issue.repository),
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "reactions": self.reactions(url),
            "html_url": f"{self.web_url}/{issue.repository.full_name}/issues/{issue.number}",
            "number": issue.number,
            "state": issue.state.lower(),
            "state_reason": issue.state_reason.lower() if issue.state_reason else None,
            "title": issue.title,
            "body": issue.body or None,
            "user": self.user_or_ghost(issue.author),
            "labels": [self.label(label) for label in issue.labels],
            **self.assigned(issue.assignees),
            "active_lock_reason": None,
            "milestone": self.milestone(issue.milestone),
            "locked": issue.locked,
            "author_association": issue.author_association,
            "comments": len(issue.comments),
            "created_at": issue.created_at,
            "updated_at": issue.updated_at,
            "closed_at": issue.closed_at,
        }

    def issue_comment(self, comment: Comment) -> Json:
        parent = comment.parent
        base = self.repository_url(parent.repository)
        kind = "issues" if isinstance(parent, Issue) else "pull"
        page = f"{self.web_url}/{parent.repository.full_name}/{kind}/{parent.number}"
        url = f"{base}/issues/comments/{comment.database_id}"
        return {
            "id": comment.database_id,
            "node_id": comment.id,
            "url": url,
            "reactions": self.reactions(url),
            "performed_via_github_app": None,
            "html_url": f"{page}#issuecomment-{comment.database_id}",
            "issue_url": f"{base}/issues/{parent.number}",
            "user": self.user_or_ghost(comment.author),
            "body": comment.body,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "author_association": comment.author_association,
        }
