from __future__ import annotations

import uuid

from django.db import models

from apps.integrations.models.tracked_repository import TrackedRepository
from apps.teams.models import BaseTeamModel

ROUTINE = models.Q(kind__in=["incremental", "reconcile", "pr"], status="complete")
"""What goes well by itself all day: the sync log leaves it out unless it is asked for."""

UNWRITTEN = models.Q(notified_at=None, status__in=["complete", "partial", "error"])
"""What ended, and nobody has seen yet whether the admins are to be written to."""


class SyncRun(BaseTeamModel):
    """One sync of one repository: a chain of short tasks, each of which continues from `checkpoint`.

    `token` is the fence: who continues the run takes a new one, and every page's commit checks it, so a worker that
    wakes up late cannot write. `heartbeat_at` tells the reaper that somebody works on it; `queued_at`
    tells a pending run whose turn has come from one that waits for it. A paused run without `resume_at` waits for a
    person.
    """

    class Kind(models.TextChoices):
        INITIAL = "initial"
        INCREMENTAL = "incremental"
        MANUAL = "manual"
        PR = "pr"
        RECONCILE = "reconcile"  # compares what is stored with GitHub's own counts, and fetches what differs

    class Status(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        PAUSED = "paused"
        COMPLETE = "complete"
        PARTIAL = "partial"
        ERROR = "error"
        CANCELLED = "cancelled"

    UNFINISHED = (Status.PENDING, Status.RUNNING, Status.PAUSED)

    tracked_repository = models.ForeignKey(
        TrackedRepository, models.CASCADE, db_constraint=False, related_name="sync_runs"
    )
    kind = models.CharField(max_length=20, choices=Kind)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    days_back = models.IntegerField(null=True)  # NULL: full history
    cutoff = models.DateTimeField(null=True)  # what is older and not open is left out; NULL: nothing is
    known_from = models.DateTimeField(null=True)  # updated since then: stored already, only what is older is missing
    horizon = models.DateTimeField(null=True)  # what changes after it is for the next run; NULL: its start
    checkpoint = models.JSONField(default=dict)
    token = models.UUIDField(default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(null=True)  # its message is in the queue since; NULL of a pending run: it waits
    resume_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    points = models.IntegerField(default=0)
    requests = models.IntegerField(default=0)
    rest_requests = models.IntegerField(default=0)
    rate_limited = models.BooleanField(default=False)
    errors = models.JSONField(default=list)
    partial = models.JSONField(default=dict)  # number of the pull request -> {part: reason}, of the first 2,000
    pages = models.JSONField(default=dict)  # page size -> {pages, pull_requests, seconds} of those that worked
    waits = models.JSONField(default=list)  # the latest [{from, until, reason}], ISO instants
    touched_weeks = models.JSONField(default=list)
    notified_at = models.DateTimeField(null=True)  # when the admins were written to about its end

    class Meta(BaseTeamModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="sync_run_in_team"),
            models.UniqueConstraint(
                fields=["team", "tracked_repository"],
                condition=models.Q(status__in=["pending", "running", "paused"]),
                name="one_unfinished_sync_run",
            ),
        )
        indexes = (
            models.Index(fields=["team", "status", "heartbeat_at"], name="sync_run_heartbeat"),
            models.Index(fields=["team", "status", "id"], name="sync_run_status"),
            models.Index(fields=["team", "kind", "id"], name="sync_run_kind"),
            models.Index(
                fields=["team", "id"],
                condition=~ROUTINE,
                name="sync_run_notable",
            ),
            models.Index(fields=["team", "id"], condition=UNWRITTEN, name="sync_run_unwritten"),
        )
