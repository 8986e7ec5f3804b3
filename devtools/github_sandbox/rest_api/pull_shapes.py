"""REST's JSON of a pull request and of everything that hangs on it."""

from __future__ import annotations

from urllib.parse import quote

from devtools.github_sandbox.access import Session
from devtools.github_sandbox.entities import (
    Account,
    ChangedFile,
    Commit,
    PullRequest,
    Review,
    ReviewComment,
    Team,
    TimelineEvent,
)
from devtools.github_sandbox.rest_api.shapes import Json, Shapes
from devtools.github_sandbox.world import Repository

FILE_STATUSES = {
    "ADDED": "added",
    "DELETED": "removed",
    "MODIFIED": "modified",
    "RENAMED": "renamed",
    "COPIED": "copied",
    "CHANGED": "changed",
}
_OF_ISSUE = (
    "id",
    "node_id",
    "html_url",
    "number",
    "state",
    "locked",
    "active_lock_reason",
    "title",
    "user",
    "body",
    "labels",
    "milestone",
    "created_at",
    "updated_at",
    "closed_at",
    "assignee",
    "assignees",
    "author_association",
    "comments",
    "draft",
)


class PullShapes(Shapes):
    def pull_url(self, pull: PullRequest) -> str:
        return f"{self.repository_url(pull.repository)}/pulls/{pull.number}"

    def pull_page(self, pull: PullRequest) -> str:
        return f"{self.web_url}/{pull.repository.full_name}/pull/{pull.number}"

    def pull(self, pull: PullRequest, session: Session) -> Json:
        """As a list has it: without the counters and sizes."""
        url, base = self.pull_url(pull), self.repository_url(pull.repository)
        return {
            "url": url,
            "id": pull.database_id,
            "node_id": pull.id,
            "html_url": self.pull_page(pull),
            "diff_url": f"{self.pull_page(pull)}.diff",
            "patch_url": f"{self.pull_page(pull)}.patch",
            "issue_url": f"{base}/issues/{pull.number}",
            "commits_url": f"{url}/commits",
            "review_comments_url": f"{url}/comments",
            "review_comment_url": f"{base}/pulls/comments{{/number}}",
            "comments_url": f"{base}/issues/{pull.number}/comments",
            "statuses_url": f"{base}/statuses/{pull.head_ref_oid}",
            "number": pull.number,
            "state": "open" if pull.state == "OPEN" else "closed",
            "locked": pull.locked,
            "active_lock_reason": (pull.active_lock_reason or "").lower().replace("_", "-") or None,
            "title": pull.title,
            "user": self.user_or_ghost(pull.author),
            "body": pull.body or None,
            "labels": [self.label(label) for label in pull.labels],
            "milestone": self.milestone(pull.milestone),
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": pull.closed_at,
            "merged_at": pull.merged_at,
            "merge_commit_sha": pull.merge_commit_oid,
            **self.assigned(pull.assignees),
            "requested_reviewers": self.users(pull.requested_reviewers),
            "requested_teams": [self.team(each) for each in pull.requested_reviewers if isinstance(each, Team)],
            "head": self.branch(pull.head_repository, pull.head_ref_name, pull.head_ref_oid, session),
            "base": self.branch(pull.repository, pull.base_ref_name, pull.base_ref_oid, session),
            "_links": self.links(pull),
            "author_association": pull.author_association,
            "auto_merge": self.auto_merge(pull),
            "draft": pull.is_draft,
        }

    def users(self, requested: list[Account | Team]) -> list[Json | None]:
        return [self.user(each) for each in requested if isinstance(each, Account) and not each.is_deleted]

    def links(self, pull: PullRequest) -> Json:
        url, base = self.pull_url(pull), self.repository_url(pull.repository)
        targets = {
            "self": url,
            "html": self.pull_page(pull),
            "issue": f"{base}/issues/{pull.number}",
            "comments": f"{base}/issues/{pull.number}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{base}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": f"{base}/statuses/{pull.head_ref_oid}",
        }
        return {name: {"href": target} for name, target in targets.items()}

    def auto_merge(self, pull: PullRequest) -> Json | None:
        if pull.auto_merge is None:
            return None
        enabled_by = self.user_or_ghost(pull.auto_merge["enabled_by"])
        return {"enabled_by": enabled_by, "merge_method": "squash", "commit_title": "", "commit_message": ""}

    def full_pull(self, pull: PullRequest, session: Session) -> Json:
        """As `/pulls/{number}` and the webhooks have it."""
        inline = sum(len(thread.comments) for thread in pull.threads)
        return {
            **self.pull(pull, session),
            "merged": pull.state == "MERGED",
            "mergeable": True if pull.state == "OPEN" else None,
            "rebaseable": None,
            "mergeable_state": "clean" if pull.state == "OPEN" else "unknown",
            "merged_by": self.user(pull.merged_by),
            "comments": pull.stated.get("comments", len(pull.comments)),
            "review_comments": pull.stated.get("review_comments", inline),
            "maintainer_can_modify": pull.maintainer_can_modify,
            "commits": max(pull.stated.get("commits", 0), len(pull.commits)),
            "additions": pull.additions,
            "deletions": pull.deletions,
            "changed_files": pull.changed_files,
        }

    def as_issue(self, pull: PullRequest, session: Session) -> Json:
        """A pull request is an issue too: in issue comments, searches and `/issues/{number}`."""
        data = self.full_pull(pull, session)
        url = str(data["issue_url"])
        return {
            **{key: data[key] for key in _OF_ISSUE},
            "url": url,
            "repository_url": self.repository_url(pull.repository),
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "reactions": self.reactions(url),
            "pull_request": {key: data[key] for key in ("url", "html_url", "diff_url", "patch_url", "merged_at")},
        }

    def branch(self, repository: Repository | None, ref: str, sha: str, session: Session) -> Json:
        """`repo` and `user` are null where the fork is gone."""
        owner = repository.owner if repository else None
        return {
            "label": f"{owner.login if owner else 'unknown repository'}:{ref}",
            "ref": ref,
            "sha": sha,
            "user": self.user(owner),
            "repo": self.repository(repository, session) if repository else None,
        }

    def review(self, review: Review) -> Json:
        page = f"{self.pull_page(review.pull_request)}#pullrequestreview-{review.database_id}"
        return {
            "id": review.database_id,
            "node_id": review.id,
            "user": self.user(review.author),
            "body": review.body,
            "state": review.state,
            "html_url": page,
            "pull_request_url": self.pull_url(review.pull_request),
            "_links": {"html": {"href": page}, "pull_request": {"href": self.pull_url(review.pull_request)}},
            "author_association": review.author_association,
            "submitted_at": review.submitted_at,
            "commit_id": review.commit_oid,
        }

    def review_comment(self, comment: ReviewComment) -> Json:
        pull = comment.thread.pull_request
        base = self.repository_url(pull.repository)
        url, page = f"{base}/pulls/comments/{comment.database_id}", self.pull_page(pull)
        html_url = f"{page}#discussion_r{comment.database_id}"
        links = {"self": url, "html": html_url, "pull_request": self.pull_url(pull)}
        answer: Json = {
            "url": url,
            "pull_request_review_id": comment.review_database_id,
            "id": comment.database_id,
            "node_id": comment.id,
            "diff_hunk": comment.diff_hunk,
            "path": comment.path,
            "commit_id": comment.commit_oid,
            "original_commit_id": comment.original_commit_oid,
            "user": self.user(comment.author),
            "body": comment.body,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "html_url": html_url,
            "_links": {name: {"href": target} for name, target in links.items()},
            "reactions": self.reactions(url),
            "position": None if comment.thread.is_outdated else 1,
            "original_position": 1,
            "start_side": None,
            "original_start_line": None,
            "pull_request_url": self.pull_url(pull),
            "author_association": comment.author_association,
            "start_line": comment.start_line,
            "line": comment.line,
            "original_line": comment.original_line,
            "side": comment.thread.diff_side,
            "subject_type": comment.thread.subject_type.lower(),
        }
        root = comment.thread.comments[0]
        if root is not comment:
            answer["in_reply_to_id"] = root.database_id
        return answer

    def commit(self, commit: Commit, *, detail: bool = False) -> Json:
        """A list leaves `stats` out; `detail` has them where they are known."""
        base = self.repository_url(commit.repository)
        url = f"{base}/commits/{commit.oid}"
        answer: Json = {
            "sha": commit.oid,
            "node_id": commit.id,
            "commit": {
                "author": {"name": commit.author_name, "email": commit.author_email, "date": commit.authored_date},
                "committer": {
                    "name": commit.committer_name,
                    "email": commit.committer_email,
                    "date": commit.committed_date,
                },
                "message": commit.message,
                "comment_count": 0,
                "url": f"{base}/git/commits/{commit.oid}",
                "tree": {"sha": commit.oid[::-1], "url": f"{base}/git/trees/{commit.oid[::-1]}"},
            },
            "url": url,
            "comments_url": f"{url}/comments",
            "html_url": f"{self.web_url}/{commit.repository.full_name}/commit/{commit.oid}",
            "author": self.user(commit.author_user),
            "committer": self.user(commit.committer_user),
            "parents": [],
        }
        if detail and commit.additions is not None and commit.deletions is not None:
            total = commit.additions + commit.deletions
            answer["stats"] = {"total": total, "additions": commit.additions, "deletions": commit.deletions}
        return answer

    def file(self, file: ChangedFile, pull: PullRequest) -> Json:
        page, base = f"{self.web_url}/{pull.repository.full_name}", self.repository_url(pull.repository)
        where, name = pull.head_ref_oid, quote(file.path)
        answer: Json = {
            "blob_url": f"{page}/blob/{where}/{name}",
            "raw_url": f"{page}/raw/{where}/{name}",
            "contents_url": f"{base}/contents/{name}?ref={where}",
            "sha": file.sha or None,
            "filename": file.path,
            "status": FILE_STATUSES[file.change_type],
            "additions": file.additions,
            "deletions": file.deletions,
            "changes": file.additions + file.deletions,
        }
        if file.previous_path is not None:
            answer["previous_filename"] = file.previous_path
        if file.patch is not None:
            answer["patch"] = file.patch
        return answer

    def event(self, event: TimelineEvent) -> Json:
        details = event.details
        answer: Json = {
            "id": event.database_id,
            "node_id": event.id,
            "url": f"{self.repository_url(event.pull_request.repository)}/issues/events/{event.database_id}",
            "actor": self.user(event.actor),
            "event": event.kind,
            "commit_id": details.get("commit_oid") or details.get("after_oid"),
            "commit_url": None,
            "performed_via_github_app": None,
            "created_at": event.created_at,
        }
        if event.kind in ("review_requested", "review_request_removed"):
            reviewer = details.get("requested_reviewer")
            answer["review_requester"] = self.user(event.actor)
            if isinstance(reviewer, Team):
                answer["requested_team"] = self.team(reviewer)
            else:
                answer["requested_reviewer"] = self.user(reviewer)
        if "label" in details:
            answer["label"] = {"name": details["label"].name, "color": details["label"].color}
        if "assignee" in details:
            answer["assignee"] = self.user(details["assignee"])
        if "milestone_title" in details:
            answer["milestone"] = {"title": details["milestone_title"]}
        if "current_title" in details:
            answer["rename"] = {"from": details["previous_title"], "to": details["current_title"]}
        if "previous_review_state" in details:
            review = details.get("review")
            answer["dismissed_review"] = {
                "state": details["previous_review_state"].lower(),
                "review_id": review.database_id if review else None,
                "dismissal_message": details.get("dismissal_message"),
            }
        return answer
