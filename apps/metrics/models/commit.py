from django.db import models

from apps.metrics.models.base import Mirrored, member_key


class Commit(Mirrored):
    """A commit of a repository. It may belong to several pull requests (stacked, cherry-picked)."""

    repository = models.ForeignKey(
        "metrics.Repository", models.CASCADE, db_constraint=False, db_index=False, related_name="commits"
    )
    github_sha = models.CharField(max_length=64)
    message = models.TextField(blank=True)
    author = member_key("commits")
    author_name = models.TextField(blank=True)
    author_email = models.TextField(blank=True)
    committer = member_key()
    authored_at = models.DateTimeField()
    committed_at = models.DateTimeField()
    additions = models.IntegerField(null=True)
    deletions = models.IntegerField(null=True)
    changed_files = models.IntegerField(null=True)

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="commit_in_team"),
            models.UniqueConstraint(fields=["team", "repository", "github_sha"], name="commit_key"),
        )
        indexes = (models.Index(fields=["team", "authored_at"], name="commit_authored"),)


class PullRequestCommit(Mirrored):
    """A commit that a pull request has, or had until a force push (`gone_at`). `position` is its place, from 0."""

    pull_request = models.ForeignKey("metrics.PullRequest", models.CASCADE, db_constraint=False, db_index=False)
    commit = models.ForeignKey(Commit, models.CASCADE, db_constraint=False)
    position = models.IntegerField(default=0)

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "pull_request", "commit"], name="pull_request_commit_key"),
        )
