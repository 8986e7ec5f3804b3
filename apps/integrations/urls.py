from django.urls import path

from apps.integrations.views import connect, repositories, sync_actions, sync_log, webhooks

app_name = "integrations"
_GITHUB = "a/<slug:team_slug>/integrations/github"
_REPO = f"{_GITHUB}/repos/<int:repo_id>"
urlpatterns = [
    path("integrations/github/callback/", connect.oauth_callback, name="oauth_callback"),
    path("webhooks/github/<str:opaque_id>/", webhooks.github_webhook, name="github_webhook"),
    path(f"{_GITHUB}/connect/", connect.connect, name="connect"),
    path(f"{_GITHUB}/connect/oauth/", connect.oauth_start, name="oauth_start"),
    path(f"{_GITHUB}/connect/token/", connect.connect_token, name="connect_token"),
    path(f"{_GITHUB}/connect/choose/", connect.choose, name="choose"),
    path(f"{_GITHUB}/<int:integration_id>/disconnect/", connect.disconnect_view, name="disconnect"),
    path(f"{_GITHUB}/<int:integration_id>/refresh/", connect.refresh, name="refresh"),
    path(f"{_GITHUB}/<int:integration_id>/retry/", connect.retry, name="retry"),
    path(f"{_GITHUB}/<int:integration_id>/secret/", webhooks.rotate, name="rotate_secret"),
    path(f"{_GITHUB}/repos/", repositories.repositories, name="repositories"),
    path(f"{_GITHUB}/repos/discovery/", repositories.discovery_progress, name="discovery_progress"),
    path(f"{_GITHUB}/repos/sync/", repositories.sync_all, name="sync_all"),
    path(f"{_REPO}/toggle/", repositories.github_repo_toggle, name="github_repo_toggle"),
    path(f"{_REPO}/sync/", repositories.github_repo_sync, name="github_repo_sync"),
    path(f"{_REPO}/progress/", repositories.github_repo_sync_progress, name="github_repo_sync_progress"),
    path(f"{_REPO}/depth/", repositories.github_repo_depth, name="github_repo_depth"),
    path(f"{_REPO}/webhook/", repositories.github_repo_webhook, name="github_repo_webhook"),
    path(f"{_REPO}/pause/", sync_actions.github_repo_pause, name="github_repo_pause"),
    path(f"{_REPO}/resume/", sync_actions.github_repo_resume, name="github_repo_resume"),
    path(f"{_GITHUB}/sync-log/", sync_log.log, name="sync_log"),
    path(f"{_GITHUB}/sync-log/syncs.csv", sync_log.log_csv, name="sync_log_csv"),
    path(f"{_GITHUB}/sync-log/<int:run_id>/", sync_log.run_detail, name="sync_run"),
    path(f"{_GITHUB}/sync-log/<int:run_id>/cancel/", sync_actions.sync_run_cancel, name="sync_run_cancel"),
    path(f"{_GITHUB}/sync-log/<int:run_id>/retry/", sync_actions.sync_run_retry, name="sync_run_retry"),
]
