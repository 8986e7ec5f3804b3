"""For pytest: real PostgreSQL and Redis, mail kept in memory, quick passwords, no GitHub but a sandbox's."""

import os
from urllib.parse import urlsplit

from tformance.settings.base import *  # noqa: F403
from tformance.settings.base import CACHES, DATABASES, REDIS_URL, derived_encryption_key

DEBUG = False
SECRET_KEY = "for-tests-only-0123456789abcdefghijklmnopqrstuvwxyz"
FIELD_ENCRYPTION_KEYS = [derived_encryption_key(SECRET_KEY)]
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
DATABASES["default"]["CONN_MAX_AGE"] = 0
CELERY_TASK_ALWAYS_EAGER = False


_PARTS = 8  # of the 16 that a Redis has; the others are of tests with a worker of their own, in tests/worker_support


def _of_this_process(url: str) -> str:
    """Test processes beside each other have their rows each, and their part of Redis: its heartbeat, its queues."""
    parts, place = urlsplit(url), int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    number = int(parts.path.strip("/") or 0)
    if number < _PARTS:
        number = (number + place) % _PARTS
    return parts._replace(path=f"/{number}").geturl()


REDIS_URL = CELERY_BROKER_URL = CACHES["default"]["LOCATION"] = _of_this_process(REDIS_URL)
GITHUB_API_URL = "http://127.0.0.1:9"  # nobody listens there: a test that forgets its sandbox fails at once
GITHUB_WEB_URL = "http://127.0.0.1:9"
GITHUB_BACKOFF = 0.01
