"""The tasks by the names that stay: `apps.integrations.tasks.<function>`."""

from apps.integrations.tasks.connection import (
    after_commit,
    disconnect_task,
    discover_repositories_task,
    register_webhook_task,
    remove_webhook_task,
    tidy_connections_task,
    try_connection_again_task,
)
from apps.integrations.tasks.looks import ask_for_looks_task, check_for_changes_task
from apps.integrations.tasks.reconcile import reconcile_task
from apps.integrations.tasks.sync import (
    notify_connection_task,
    notify_sync_ended_task,
    reap_sync_runs_task,
    sync_advance_task,
    sync_repository_initial_task,
    sync_repository_task,
)
from apps.integrations.tasks.sync_log import give_turns_task, tidy_sync_log_task
from apps.integrations.tasks.webhooks import (
    aggregate_touched_weeks_task,
    catch_up_with_webhooks_task,
    fetch_due_pull_requests_task,
    fetch_pr_complete_data_task,
    process_webhook_deliveries_task,
    redeliver_webhooks_task,
    see_to_webhooks_task,
    tidy_webhooks_task,
)

__all__ = (
    "after_commit",
    "aggregate_touched_weeks_task",
    "ask_for_looks_task",
    "catch_up_with_webhooks_task",
    "check_for_changes_task",
    "disconnect_task",
    "discover_repositories_task",
    "fetch_due_pull_requests_task",
    "fetch_pr_complete_data_task",
    "give_turns_task",
    "notify_connection_task",
    "notify_sync_ended_task",
    "process_webhook_deliveries_task",
    "reap_sync_runs_task",
    "reconcile_task",
    "redeliver_webhooks_task",
    "register_webhook_task",
    "remove_webhook_task",
    "see_to_webhooks_task",
    "sync_advance_task",
    "sync_repository_initial_task",
    "sync_repository_task",
    "tidy_connections_task",
    "tidy_sync_log_task",
    "tidy_webhooks_task",
    "try_connection_again_task",
)
