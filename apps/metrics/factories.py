"""Believable rows of every model, in one team's scope (see `TeamModelFactory`); missing parents are made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from factory.declarations import LazyAttribute, SelfAttribute, Sequence, SubFactory

from apps.metrics.calculations import Size
from apps.metrics.models import (
    Commit,
    Deployment,
    DeploymentStatus,
    Label,
    LinkedIssue,
    Milestone,
    PRCheckRun,
    PRComment,
    PREvent,
    PRFile,
    PRReview,
    PullRequest,
    PullRequestAssignee,
    PullRequestCommit,
    PullRequestLabel,
    Repository,
    ReviewThread,
    TeamMember,
    WeeklyMetrics,
)
from apps.teams.factories import TeamModelFactory

# Beyond 2³¹, as GitHub's ids are.
FIRST_ID = 5_000_000_000
# A Monday, and an hour at which people work.
OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class RepositoryFactory(TeamModelFactory):
    class Meta:
        model = Repository

    github_repo_id = Sequence(lambda n: FIRST_ID + n)
    node_id = Sequence(lambda n: f"R_{n}")
    full_name = Sequence(lambda n: f"acme/service-{n}")
    default_branch = "main"


class TeamMemberFactory(TeamModelFactory):
    class Meta:
        model = TeamMember

    github_user_id = Sequence(lambda n: FIRST_ID + n)
    node_id = Sequence(lambda n: f"U_{n}")
    login = Sequence(lambda n: f"dev-{n}")
    name = Sequence(lambda n: f"Developer {n}")


class MilestoneFactory(TeamModelFactory):
    class Meta:
        model = Milestone

    repository = SubFactory(RepositoryFactory)
    number = Sequence(lambda n: n + 1)
    node_id = Sequence(lambda n: f"MI_{n}")
    title = Sequence(lambda n: f"v1.{n}")


class LabelFactory(TeamModelFactory):
    class Meta:
        model = Label

    repository = SubFactory(RepositoryFactory)
    name = Sequence(lambda n: f"area/{n}")
    color = "ededed"


class PullRequestFactory(TeamModelFactory):
    """Open since Monday 9:00. `merged_at=…` makes it merged, without the derived fields: those come of ingesting."""

    class Meta:
        model = PullRequest

    repository = SubFactory(RepositoryFactory)
    github_repo = SelfAttribute("repository.full_name")
    number = Sequence(lambda n: n + 1)
    github_pr_id = Sequence(lambda n: FIRST_ID + n)
    node_id = Sequence(lambda n: f"PR_{n}")
    title = Sequence(lambda n: f"Keep the cache honest, part {n}")
    url = LazyAttribute(lambda pr: f"https://github.com/{pr.github_repo}/pull/{pr.number}")
    author = SubFactory(TeamMemberFactory)
    merged_at = None
    state = LazyAttribute(lambda pr: PullRequest.State.MERGED if pr.merged_at else PullRequest.State.OPEN)
    closed_at = SelfAttribute("merged_at")
    pr_created_at = OPENED
    pr_updated_at = LazyAttribute(lambda pr: pr.merged_at or pr.pr_created_at)
    additions = 12
    deletions = 3
    changed_files = 2
    size = Size.S
    base_ref = "main"
    head_ref = Sequence(lambda n: f"cache-{n}")
    head_sha = Sequence(lambda n: f"{n:040x}")
    merge_commit_sha = LazyAttribute(lambda pr: f"{pr.number:040x}" if pr.merged_at else "")


class PullRequestLabelFactory(TeamModelFactory):
    class Meta:
        model = PullRequestLabel

    pull_request = SubFactory(PullRequestFactory)
    label = SubFactory(LabelFactory, repository=SelfAttribute("..pull_request.repository"))


class PullRequestAssigneeFactory(TeamModelFactory):
    class Meta:
        model = PullRequestAssignee

    pull_request = SubFactory(PullRequestFactory)
    member = SubFactory(TeamMemberFactory)


class LinkedIssueFactory(TeamModelFactory):
    class Meta:
        model = LinkedIssue

    pull_request = SubFactory(PullRequestFactory)
    issue_repository = SelfAttribute("pull_request.github_repo")
    issue_number = Sequence(lambda n: 9_000 + n)
    title = "Readers see old data"


class PRReviewFactory(TeamModelFactory):
    class Meta:
        model = PRReview

    pull_request = SubFactory(PullRequestFactory)
    github_review_id = Sequence(lambda n: FIRST_ID + n)
    node_id = Sequence(lambda n: f"PRR_{n}")
    reviewer = SubFactory(TeamMemberFactory)
    state = PRReview.State.APPROVED
    submitted_at = LazyAttribute(lambda review: review.pull_request.pr_created_at + timedelta(hours=2))


class ReviewThreadFactory(TeamModelFactory):
    class Meta:
        model = ReviewThread

    pull_request = SubFactory(PullRequestFactory)
    node_id = Sequence(lambda n: f"PRRT_{n}")
    path = "src/cache.py"
    line = 7


class PRCommentFactory(TeamModelFactory):
    class Meta:
        model = PRComment

    pull_request = SubFactory(PullRequestFactory)
    github_comment_id = Sequence(lambda n: FIRST_ID + n)
    comment_type = PRComment.Type.ISSUE
    node_id = Sequence(lambda n: f"IC_{n}")
    author = SubFactory(TeamMemberFactory)
    body = "Does this hold after a restart?"
    commented_at = LazyAttribute(lambda comment: comment.pull_request.pr_created_at + timedelta(hours=1))


class CommitFactory(TeamModelFactory):
    class Meta:
        model = Commit

    repository = SubFactory(RepositoryFactory)
    github_sha = Sequence(lambda n: f"{n:040x}")
    message = "Forget the entry of a key that was renamed"
    author = SubFactory(TeamMemberFactory)
    author_name = SelfAttribute("author.name")
    author_email = LazyAttribute(lambda commit: f"{commit.author.login}@example.com")
    authored_at = OPENED - timedelta(hours=3)
    committed_at = SelfAttribute("authored_at")


class PullRequestCommitFactory(TeamModelFactory):
    class Meta:
        model = PullRequestCommit

    pull_request = SubFactory(PullRequestFactory)
    commit = SubFactory(CommitFactory, repository=SelfAttribute("..pull_request.repository"))


class PRFileFactory(TeamModelFactory):
    class Meta:
        model = PRFile

    pull_request = SubFactory(PullRequestFactory)
    filename = Sequence(lambda n: f"src/cache_{n}.py")
    status = "modified"
    additions = 6
    deletions = 1
    category = "source"


class PREventFactory(TeamModelFactory):
    class Meta:
        model = PREvent

    pull_request = SubFactory(PullRequestFactory)
    kind = PREvent.Kind.READY_FOR_REVIEW
    occurred_at = LazyAttribute(lambda event: event.pull_request.pr_created_at + timedelta(minutes=30))
    actor = SelfAttribute("pull_request.author")


class PRCheckRunFactory(TeamModelFactory):
    """A check run that passed in four minutes; a status context has `github_check_run_id=None, context="ci/x"`."""

    class Meta:
        model = PRCheckRun

    repository = SubFactory(RepositoryFactory)
    head_sha = Sequence(lambda n: f"{n:040x}")
    github_check_run_id = Sequence(lambda n: FIRST_ID + n)
    name = "test"
    status = "completed"
    conclusion = "success"
    started_at = OPENED
    completed_at = LazyAttribute(lambda run: run.started_at + timedelta(minutes=4))
    duration_seconds = 240
    app = "GitHub Actions"
    workflow = "CI"


class DeploymentFactory(TeamModelFactory):
    """To production, successful after ten minutes."""

    class Meta:
        model = Deployment

    repository = SubFactory(RepositoryFactory)
    github_deployment_id = Sequence(lambda n: FIRST_ID + n)
    environment = "production"
    sha = Sequence(lambda n: f"{n:040x}")
    ref = "main"
    state = "success"
    deployed_at = OPENED + timedelta(days=1)
    finished_at = LazyAttribute(lambda deployment: deployment.deployed_at + timedelta(minutes=10))


class DeploymentStatusFactory(TeamModelFactory):
    class Meta:
        model = DeploymentStatus

    deployment = SubFactory(DeploymentFactory)
    node_id = Sequence(lambda n: f"DS_{n}")
    state = "success"
    stated_at = SelfAttribute("deployment.finished_at")


class WeeklyMetricsFactory(TeamModelFactory):
    class Meta:
        model = WeeklyMetrics

    week = OPENED.date()
    member = None
