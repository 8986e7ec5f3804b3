"""On a developer's machine: nothing to configure, mail into a folder, errors in the browser."""

from tformance.settings.base import *  # noqa: F403
from tformance.settings.base import (
    FIELD_ENCRYPTION_KEYS,
    MIDDLEWARE,
    SECRET_KEY,
    VAR_DIR,
    derived_encryption_key,
    env,
)

DEBUG = env.bool("DEBUG", True)
SECRET_KEY = SECRET_KEY or "not-a-secret-for-development-only-0123456789abcdefghij"
FIELD_ENCRYPTION_KEYS = FIELD_ENCRYPTION_KEYS or [derived_encryption_key(SECRET_KEY)]
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = [*MIDDLEWARE, "apps.web.middleware.NotFoundAsInProduction"]  # last: nearest to the views
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
if not env.str("EMAIL_URL", ""):
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"  # shown at /dev/mail/
