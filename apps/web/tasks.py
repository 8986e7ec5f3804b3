from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from apps.web.health import record_heartbeat


@shared_task
def worker_heartbeat_task() -> None:
    """Beat sends it, a worker takes it: /readyz sees that both are there."""
    record_heartbeat()


@worker_ready.connect
def _first_heartbeat(**_signal: Any) -> None:
    """Ready at once, not only after beat's first round."""
    record_heartbeat()
