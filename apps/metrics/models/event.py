from django.db import models

from apps.metrics.models.base import Mirrored, member_key
from apps.metrics.records import EventKind


class PREvent(Mirrored):
    """A turn in a pull request's life. Payloads carry no event id, hence the key of what happened, when and to whom."""

    Kind = EventKind

    pull_request = models.ForeignKey(
        "metrics.PullRequest", models.CASCADE, db_constraint=False, db_index=False, related_name="events"
    )
    kind = models.CharField(max_length=30, choices=[(kind.value, kind.value.replace("_", " ")) for kind in EventKind])
    occurred_at = models.DateTimeField()
    subject = models.CharField(max_length=255, blank=True)
    actor = member_key()
    subject_member = member_key()
    node_id = models.CharField(max_length=100, blank=True)
    before_sha = models.CharField(max_length=64, blank=True)
    after_sha = models.CharField(max_length=64, blank=True)
    previous_state = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=255, blank=True)

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["team", "pull_request", "kind", "occurred_at", "subject"], name="event_key"
            ),
        )
