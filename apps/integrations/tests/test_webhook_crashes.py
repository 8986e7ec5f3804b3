"""Workers die, Redis is emptied, PostgreSQL hangs up: no event is lost, and none has its effect twice."""

from __future__ import annotations

import pytest

from apps.integrations.models import WebhookDelivery
from apps.integrations.services.webhooks import inbox
from apps.integrations.tests.accidents import Workers
from apps.integrations.tests.looks_support import mutate
from apps.integrations.tests.sync_support import rows_of
from apps.integrations.tests.webhook_accidents import fetches_asked_for, processed_somehow
from apps.integrations.tests.webhook_support import delivered, heard, listening, open_deliveries
from tests.worker_support import broker

SHOP = "acme/r-1"


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_to_the_workers_each_event_has_its_effect_once(busy_github, team, other_team):
    disturbed, undisturbed = (listening(busy_github, each, SHOP) for each in (team, other_team))
    numbers = sorted(busy_github.world.repository(SHOP).contents.pulls)
    for place in range(36):
        mutate(busy_github, SHOP, "comment", number=numbers[place % len(numbers)], body=f"comment {place}")
    events = heard(busy_github, SHOP)
    delivered(undisturbed, events)
    inbox.empty(undisturbed.pk)
    with Workers(broker(11)) as workers:  # theirs alone: it is flushed
        happened = processed_somehow(workers, disturbed, events, seed=5, every=0.2)
    assert happened["killed"] >= 2
    assert open_deliveries() == 0
    assert WebhookDelivery.objects.count() == 2 * len(events)
    assert fetches_asked_for(team) == fetches_asked_for(other_team)
    assert rows_of(team) == rows_of(other_team)
