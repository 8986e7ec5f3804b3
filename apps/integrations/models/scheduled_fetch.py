from __future__ import annotations

from django.db import models
from django.utils import timezone

from apps.teams.models import BaseTeamModel


class ScheduledFetch(BaseTeamModel):
    """A pull request that is to be fetched at `due_at`, because of events that could not tell everything.

    Of each kind a pull request has one that is open, however many events ask for it: `asked` counts them, so that what
    asks while it is being fetched has it fetched once more. One that is done is deleted; one that was given up stays
    for a while, with `done_at` and its error.
    """

    class Kind(models.TextChoices):
        EVENT = "event"  # something happened just now
        SETTLED = "settled"  # some minutes after the merge: checks and deployments that end after it
        LATE = "late"  # a day after the merge: the last of them

    repository = models.ForeignKey("metrics.Repository", models.CASCADE, db_constraint=False, related_name="+")
    pull_request = models.ForeignKey(
        "metrics.PullRequest", models.CASCADE, db_constraint=False, related_name="scheduled_fetches", null=True
    )
    number = models.IntegerField(default=0)  # 0: not known, only the node id is
    node_id = models.CharField(max_length=100, blank=True)
    subject = models.CharField(max_length=100)  # the number, or the node id: which pull request of the repository
    kind = models.CharField(max_length=20, choices=Kind)
    reason = models.CharField(max_length=20)  # of the event that asked first, or "merged"
    asked = models.IntegerField(default=1)
    asked_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    error = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta(BaseTeamModel.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["team", "repository", "subject", "kind"],
                condition=models.Q(done_at__isnull=True),
                name="one_open_scheduled_fetch",
            ),
        )
        indexes = (
            models.Index(
                fields=["team", "due_at"], condition=models.Q(done_at__isnull=True), name="scheduled_fetch_due"
            ),
        )
