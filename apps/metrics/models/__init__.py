from apps.metrics.models.aggregate import WeeklyMetrics
from apps.metrics.models.check import PRCheckRun
from apps.metrics.models.comment import PRComment, ReviewThread
from apps.metrics.models.commit import Commit, PullRequestCommit
from apps.metrics.models.deployment import Deployment, DeploymentStatus
from apps.metrics.models.event import PREvent
from apps.metrics.models.file import PRFile
from apps.metrics.models.member import TeamMember
from apps.metrics.models.planning import Label, LinkedIssue, Milestone, PullRequestAssignee, PullRequestLabel
from apps.metrics.models.pull_request import PullRequest
from apps.metrics.models.repository import Repository
from apps.metrics.models.review import PRReview

__all__ = (
    "Commit",
    "Deployment",
    "DeploymentStatus",
    "Label",
    "LinkedIssue",
    "Milestone",
    "PRCheckRun",
    "PRComment",
    "PREvent",
    "PRFile",
    "PRReview",
    "PullRequest",
    "PullRequestAssignee",
    "PullRequestCommit",
    "PullRequestLabel",
    "Repository",
    "ReviewThread",
    "TeamMember",
    "WeeklyMetrics",
)
