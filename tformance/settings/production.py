"""In production: every secret must be given, everything goes over TLS."""

import sentry_sdk
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from apps.common.logs import redact_report
from tformance.settings.base import *  # noqa: F403
from tformance.settings.base import ALLOWED_HOSTS, BASE_URL, FIELD_ENCRYPTION_KEYS, SECRET_KEY, SENTRY_DSN, env

for name, value in (
    ("SECRET_KEY", SECRET_KEY),
    ("FIELD_ENCRYPTION_KEYS", FIELD_ENCRYPTION_KEYS),
    ("ALLOWED_HOSTS", ALLOWED_HOSTS),
    ("DATABASE_URL", env.str("DATABASE_URL", "")),
    ("REDIS_URL", env.str("REDIS_URL", "")),
):
    if not value:
        raise ImproperlyConfigured(f"Set {name}; .env.example says how.")

try:
    for key in FIELD_ENCRYPTION_KEYS:
        Fernet(key)
except ValueError:
    raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS holds what is no key; .env.example says how.") from None

CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
ALLAUTH_TRUSTED_PROXY_COUNT = 1  # the same proxy: or everybody would share one address's rate limit
if BASE_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked on the inside
    SECURE_HSTS_SECONDS = 31_536_000
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

if SENTRY_DSN:
    sentry_sdk.init(
        dsn=SENTRY_DSN,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=redact_report,
    )
