from celery import shared_task

from apps.web.health import record_heartbeat


@shared_task
def worker_heartbeat_task() -> None:
    """Beat sends it, a worker takes it: /readyz sees that both are there."""
    record_heartbeat()
