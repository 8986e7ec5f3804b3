"""For pytest: real PostgreSQL and Redis, mail kept in memory, quick passwords, no GitHub but a sandbox's."""

from tformance.settings.base import *  # noqa: F403
from tformance.settings.base import DATABASES, derived_encryption_key

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
GITHUB_API_URL = "http://127.0.0.1:9"  # nobody listens there: a test that forgets its sandbox fails at once
GITHUB_WEB_URL = "http://127.0.0.1:9"
GITHUB_BACKOFF = 0.01
