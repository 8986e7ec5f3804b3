"""The worker's processes."""

import gc

from celery.signals import worker_process_init

import tformance.celery  # noqa: F401  (connects the signal)


def test_a_workers_process_looks_for_garbage_seldom() -> None:
    before = gc.get_threshold()
    try:
        worker_process_init.send(sender=None)
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] > before[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
