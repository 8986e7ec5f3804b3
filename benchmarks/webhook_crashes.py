"""5,000 events arrive while workers are killed, doubled, cut off and robbed of Redis: none is lost, none counts twice.

`python -m benchmarks.webhook_crashes [EVENTS] [SEED]`
"""

from __future__ import annotations

import sys
import time

from django.conf import settings

from apps.integrations.models import WebhookDelivery
from apps.integrations.services.webhooks import inbox
from apps.integrations.tests.accidents import Workers
from apps.integrations.tests.sync_support import rows_of
from apps.integrations.tests.webhook_accidents import fetches_asked_for, processed_somehow
from apps.integrations.tests.webhook_support import SECRET, delivered, heard, hook_at
from benchmarks.harness import scratch_team
from benchmarks.report import Figure, at_least, at_most, report
from benchmarks.webhooks import REPOSITORY, endpoint_for, github_at
from devtools.github_sandbox.server import SandboxServer

EVERY = 2.0
"""Seconds between two accidents to the workers, on average."""


def comments(github: SandboxServer, count: int) -> list[tuple[str, bytes, str]]:
    """(event, payload, guid): each has an effect of its own, whatever the order."""
    repository = github.world.repository(REPOSITORY)
    assert repository is not None
    numbers = sorted(repository.contents.pulls)
    hook_at(github, REPOSITORY)
    for place in range(count):
        number = numbers[place % len(numbers)]
        github.mutations.apply({"repo": REPOSITORY, "action": "comment", "number": number, "body": f"comment {place}"})
    return heard(github, REPOSITORY)


def main(count: int = 5_000, seed: int = 1) -> bool:
    with (
        SandboxServer(synthetic=["acme:shop:200:7"]) as github,
        github_at(github.url),
        scratch_team() as team,
        scratch_team() as in_peace,
        Workers(settings.REDIS_URL) as workers,
    ):
        disturbed, undisturbed = (endpoint_for(github, each, SECRET) for each in (team, in_peace))
        events = comments(github, count)
        delivered(undisturbed, events)
        inbox.empty(undisturbed.pk, seconds=3600)
        started = time.perf_counter()
        happened = processed_somehow(workers, disturbed, events, seed=seed, every=EVERY)
        seconds = time.perf_counter() - started
        processed = WebhookDelivery.objects.filter(endpoint=disturbed, processed_at__isnull=False).count()
        asked, expected = fetches_asked_for(team), fetches_asked_for(in_peace)
        is_equal = rows_of(team) == rows_of(in_peace)
        WebhookDelivery.objects.filter(endpoint__in=[disturbed, undisturbed]).delete()
    return report(
        f"{count:,} events while accidents happen to the workers ({dict(happened)})",
        [
            at_most("lost", count - processed, "events", 0),
            at_most("effects too many or too few", sum((asked[key] != expected[key]) for key in expected), "rows", 0),
            at_least("rows equal to those of undisturbed workers", is_equal, "", 1),
            Figure("workers killed", happened["killed"], "workers"),
            Figure("in all", seconds, "s"),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))
