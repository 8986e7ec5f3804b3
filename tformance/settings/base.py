"""What every installation shares. The only place, with its siblings, that reads the environment (see .env.example)."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

SECRET_KEY = env.str("SECRET_KEY", "")
DEBUG = False
BASE_URL = env.str("BASE_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
VAR_DIR = Path(env.str("TFORMANCE_VAR", str(BASE_DIR / "var"))).resolve()

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "csp",
    "django_htmx",
    "django_structlog",
    "template_partials",
    "apps.common",
    "apps.users",
    "apps.teams",
    "apps.metrics",
    "apps.integrations",
    "apps.web",
]
MIDDLEWARE = [
    "apps.integrations.middleware.WebhooksFirst",
    "django.middleware.security.SecurityMiddleware",
    "apps.web.middleware.RefuseNul",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]
ROOT_URLCONF = "tformance.urls"
WSGI_APPLICATION = "tformance.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.web.context.frame",
            ],
            "builtins": ["apps.web.templatetags.ui"],
        },
    }
]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# One login is enough. Without MIGRATIONS_DATABASE_URL the login owns the tables, and every connection starts as the
# role below, to which row-level security applies. The role travels in the startup packet: no statement of its own,
# RESET ROLE and DISCARD ALL lead back to it, and a pooler that would share the connection refuses it.
APP_ROLE = "tformance_app"
_login: dict[str, Any] = env.db("DATABASE_URL", default="postgres://postgres@127.0.0.1:5432/tformance")
_owner: dict[str, Any] = env.db("MIGRATIONS_DATABASE_URL") if env.str("MIGRATIONS_DATABASE_URL", "") else _login
_as_app = {} if _owner is not _login else {"options": f"-c role={APP_ROLE}"}
DATABASES: dict[str, Any] = {
    "default": {
        **_login,
        "ENGINE": "apps.common.postgresql",
        "OPTIONS": {**_login.get("OPTIONS", {}), **_as_app},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
# What `apps.common.roles.as_owner` puts in its place (for a while, and for its own thread).
DATABASE_OWNER = {key: _owner.get(key, "") for key in ("USER", "PASSWORD", "HOST", "PORT")} | {
    "OPTIONS": _owner.get("OPTIONS", {})
}

REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "apps.common.cache.ForgivingRedisCache", "LOCATION": REDIS_URL}}
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # Redis may be emptied at any time: nobody is logged out by it

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900}
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "apps.integrations.tasks.sync_*": {"queue": "sync"},
    "apps.integrations.tasks.process_webhook_*": {"queue": "webhooks"},
    "apps.integrations.tasks.aggregate_*": {"queue": "metrics"},
    "apps.metrics.tasks.*": {"queue": "metrics"},
}
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "worker-heartbeat": {
        "task": "apps.web.tasks.worker_heartbeat_task",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "reap-stuck-sync-runs": {"task": "apps.integrations.tasks.reap_sync_runs_task", "schedule": 60.0},
    "tidy-connections": {"task": "apps.integrations.tasks.tidy_connections_task", "schedule": 300.0},
    "reconcile": {"task": "apps.integrations.tasks.reconcile_task", "schedule": 300.0},
    "look-for-changes": {"task": "apps.integrations.tasks.ask_for_looks_task", "schedule": 60.0},
    "catch-up-with-webhooks": {"task": "apps.integrations.tasks.catch_up_with_webhooks_task", "schedule": 60.0},
    "see-to-webhooks": {"task": "apps.integrations.tasks.see_to_webhooks_task", "schedule": 300.0},
    "tidy-webhooks": {
        "task": "apps.integrations.tasks.tidy_webhooks_task",
        "schedule": crontab(hour="3", minute="50"),
    },
    "tidy-sync-log": {
        "task": "apps.integrations.tasks.tidy_sync_log_task",
        "schedule": crontab(hour="3", minute="40"),
    },
}

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# An unverified address may make a team of its own, and proves nothing: GitHub log-ins are never linked by address.
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_ADAPTER = "apps.users.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "add_email": "apps.users.forms.AddEmailForm",
    "change_password": "apps.users.forms.ChangePasswordForm",
    "login": "apps.users.forms.LoginForm",
    "reset_password_from_key": "apps.users.forms.ResetPasswordKeyForm",
    "set_password": "apps.users.forms.SetPasswordForm",
}
SOCIALACCOUNT_ADAPTER = "apps.users.adapter.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = False
SOCIALACCOUNT_STORE_TOKENS = False

GITHUB_WEB_URL = env.str("GITHUB_WEB_URL", "https://github.com").rstrip("/")
GITHUB_API_URL = env.str("GITHUB_API_URL", "https://api.github.com").rstrip("/")
GITHUB_BACKOFF = 1.0  # seconds, about, until a request that failed on the way is sent again; then twice that
GITHUB_CLIENT_ID = env.str("GITHUB_CLIENT_ID", "")
GITHUB_CLIENT_SECRET = env.str("GITHUB_CLIENT_SECRET", "")
GITHUB_APP_ID = env.str("GITHUB_APP_ID", "")
GITHUB_APP_CLIENT_ID = env.str("GITHUB_APP_CLIENT_ID", "")
GITHUB_APP_CLIENT_SECRET = env.str("GITHUB_APP_CLIENT_SECRET", "")
GITHUB_APP_PRIVATE_KEY = env.str("GITHUB_APP_PRIVATE_KEY", "", multiline=True)  # PEM, its line breaks as \n
GITHUB_APP_WEBHOOK_SECRET = env.str("GITHUB_APP_WEBHOOK_SECRET", "")
GITHUB_SEEDING_TOKENS: list[str] = env.list("GITHUB_SEEDING_TOKENS", default=[])
SOCIALACCOUNT_PROVIDERS = {
    "github": {
        "SCOPE": ["read:user", "user:email"],
        # allauth derives an Enterprise Server's API from this (…/api/v3), so github.com itself must not be named.
        **({} if GITHUB_WEB_URL == "https://github.com" else {"GITHUB_URL": GITHUB_WEB_URL}),
        "APPS": (
            [{"client_id": GITHUB_CLIENT_ID, "secret": GITHUB_CLIENT_SECRET, "key": ""}] if GITHUB_CLIENT_ID else []
        ),
    }
}

# First encrypts, all decrypt. Outside production one is derived from SECRET_KEY, so that there is nothing to configure.
FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS", default=[])


def derived_encryption_key(secret: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(b"tformance field encryption " + secret.encode()).digest()).decode()


EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "tformance <noreply@localhost>")

SENTRY_DSN = env.str("SENTRY_DSN", "")
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "https://avatars.githubusercontent.com"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", GITHUB_WEB_URL],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 26_214_400  # GitHub caps a webhook's payload at 25 MB

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "apps.common.logs.formatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},  # a 404 is in the request's line already
        "django.server": {"handlers": [], "level": "CRITICAL", "propagate": True},  # runserver's own request lines
        "httpx": {"level": "WARNING"},
        "github": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
