"""All configuration. This is the one place that reads the environment; every real part has an embedded default.

| variable | default | meaning |
| --- | --- | --- |
| STYLEREC_ENV | development | `production` refuses to start with a default secret and turns every transport guard on |
| STYLEREC_SECRET_KEY | a development key | Django's secret |
| STYLEREC_PRIVACY_KEYS | derived in development | Fernet keys, newest first; they wrap shoppers' data keys |
| STYLEREC_SHOPPER_KEYS | SQLite in STYLEREC_DATA | database URL of shoppers' data keys; never DATABASE_URL itself |
| STYLEREC_HOSTS | localhost | allowed host names, comma separated |
| STYLEREC_DATA | ./var | database, Valkey data, artifacts, logs of the embedded parts |
| STYLEREC_STATIC | ./staticfiles | where `collectstatic` puts what pages load; production serves it from there |
| DATABASE_URL | SQLite in STYLEREC_DATA | any URL that django-environ reads |
| REDIS_URL | redis://127.0.0.1:6399/0 | broker, cache and event stream |
| STYLEREC_S3_BUCKET (+ STYLEREC_S3_ENDPOINT, AWS_*) | unset: local media/ | files in S3 through django-storages |
| STYLEREC_MEDIA_ORIGINS | the S3 endpoint or bucket | origins that pages may load pictures from, such as a CDN |
| STYLEREC_WEBHOOK_INTERNAL_HOSTS | none | `host:port` of your own, private machines that webhooks may reach |
| STYLEREC_PROXIES | 1 behind a TLS proxy, else 0 | how many proxies of yours add to X-Forwarded-For; 0: nobody is believed |
| STYLEREC_METRICS_TOKEN | unset: open in development, off in production | bearer token of /metrics |
| STYLEREC_DEVICE | auto | `cpu`, `cuda` or `auto` |
| STYLEREC_SEARCH | memory | `pgvector` searches recommended products in PostgreSQL instead: slower, see decision 0008 |
| STYLEREC_RESNET18_WEIGHTS | unset | torchvision's ResNet-18 file: fits also look with a network |
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import environ
import structlog
from corsheaders.defaults import default_headers
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from stylerec_site.log_privacy import mask_shoppers

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

ENVIRONMENT = env.str("STYLEREC_ENV", default="development")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("STYLEREC_DEBUG", default=False) and not PRODUCTION

_DEVELOPMENT_KEY = "development-only-key-that-production-refuses-0123456789-abcdefghijklmnop"
SECRET_KEY = env.str("STYLEREC_SECRET_KEY", default=_DEVELOPMENT_KEY)
#: Fernet keys that wrap each shopper's data key; the first wraps, all unwrap.
PRIVACY_KEYS: list[str] = env.list("STYLEREC_PRIVACY_KEYS", default=[])
if PRODUCTION and (SECRET_KEY == _DEVELOPMENT_KEY or len(SECRET_KEY) < 50):
    raise ImproperlyConfigured(
        "STYLEREC_SECRET_KEY is missing, too short or the development default. Set it to at least 50 random characters."
    )
if PRODUCTION and not PRIVACY_KEYS:
    raise ImproperlyConfigured(
        "STYLEREC_PRIVACY_KEYS is missing. Set it to a Fernet key (`manage.py generate_privacy_key` prints one)."
    )
if not PRIVACY_KEYS:
    PRIVACY_KEYS = [base64.urlsafe_b64encode(hashlib.sha256(SECRET_KEY.encode()).digest()).decode()]

DATA_ROOT = Path(env.str("STYLEREC_DATA", default=str(BASE_DIR / "var")))
ARTIFACTS_ROOT = DATA_ROOT / "artifacts"
DEVICE = env.str("STYLEREC_DEVICE", default="auto")
RESNET18_WEIGHTS = env.str("STYLEREC_RESNET18_WEIGHTS", default="")

ALLOWED_HOSTS: list[str] = env.list(
    "STYLEREC_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"]
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("STYLEREC_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "corsheaders",
    "csp",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "stylerec_site.apps.SiteConfig",
    "jobs",
    "catalog",
    "catalog.developers",
    "styling",
    "recommend",
    "recommend.creatives",
    "recommend.experiments",
]

MIDDLEWARE = [
    "stylerec_site.middleware.RequestIdMiddleware",
    "stylerec_site.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "stylerec_site.middleware.ContentSecurityPolicyMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "stylerec_site.brakes.BrakesMiddleware",
    "stylerec_site.api_middleware.ConditionalReadsMiddleware",
    "stylerec_site.api_middleware.IdempotencyMiddleware",
]

ROOT_URLCONF = "stylerec_site.urls"
WSGI_APPLICATION = "stylerec_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- Database -------------------------------------------------------------------------------------------------------
DATABASES: dict[str, Any] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_ROOT / 'stylerec.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL lets readers go on while one writes; IMMEDIATE takes the write lock at BEGIN, where the busy timeout works.
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
        }
    )
    # A file, where Django would take memory: the suite's real worker processes must see the test database too.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_ROOT / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Opening costs more than most pages; with SQLite, the last one to close also empties the write-ahead log.
DATABASES["default"]["CONN_MAX_AGE"] = 60
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
#: Where the recommender searches: ``memory`` of the web processes, or PostgreSQL with ``pgvector``.
SEARCH = env.str("STYLEREC_SEARCH", default="memory")
if SEARCH not in {"memory", "pgvector"} or (
    SEARCH == "pgvector" and "postgresql" not in DATABASES["default"]["ENGINE"]
):
    raise ImproperlyConfigured("STYLEREC_SEARCH is `memory`, or `pgvector` where DATABASE_URL names a PostgreSQL.")

#: Where shoppers' data keys lie, apart from what they seal. Empty: ``shopper-keys.sqlite3`` in the data folder.
SHOPPER_KEYS = env.str("STYLEREC_SHOPPER_KEYS", default="")
#: A key without a shopper (after a crash, or a deleted shop) is shredded after so many days.
SHOPPER_KEY_GRACE_DAYS = 7
_place_of_keys = env.db_url_config(SHOPPER_KEYS) if SHOPPER_KEYS else {}
if SHOPPER_KEYS and all(_place_of_keys[part] == DATABASES["default"][part] for part in ("HOST", "PORT", "NAME")):
    raise ImproperlyConfigured(
        "STYLEREC_SHOPPER_KEYS names the site's own database: a backup of it would hold the keys to what it holds sealed. "
        "Give the keys a database of their own."
    )

# --- Valkey: broker, cache, event stream ------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6399/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "stylerec",
        "OPTIONS": {"socket_timeout": 3, "socket_connect_timeout": 2},
    }
}

_SOCKET_OPTIONS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 5,
}
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    **_SOCKET_OPTIONS,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True  # safe: the job row caps the attempts
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "purge": {"task": "recommend.purge", "schedule": 24 * 3600, "options": {"queue": "default"}},
    "fit-due": {"task": "recommend.fit_due", "schedule": 3600, "options": {"queue": "default"}},
    "count": {"task": "recommend.count_up", "schedule": 300, "options": {"queue": "default"}},
    "learn": {"task": "recommend.learn", "schedule": 600, "options": {"queue": "default"}},
    "files": {"task": "catalog.sweep_files", "schedule": 24 * 3600, "options": {"queue": "default"}},
    "site": {"task": "site.purge", "schedule": 24 * 3600, "options": {"queue": "default"}},
    "developers": {"task": "developers.purge", "schedule": 3600, "options": {"queue": "default"}},
    "webhooks": {"task": "developers.ring_due", "schedule": 30, "options": {"queue": "default"}},
}

# --- Jobs -------------------------------------------------------------------------------------------------------------
JOBS_TENANCY = "catalog.job_tenancy.policy"
JOBS_LEASE_SECONDS = env.int("STYLEREC_JOB_LEASE", default=60)
JOBS_HEARTBEAT_SECONDS = env.int("STYLEREC_JOB_HEARTBEAT", default=15)
JOBS_SWEEP_SECONDS = env.int("STYLEREC_JOB_SWEEP", default=20)
JOBS_MAX_FRUITLESS_ATTEMPTS = 3
#: Long polls and event streams of one web process: each holds one of its (4) threads, so at most half of them.
JOBS_WAITING_REQUESTS = env.int("STYLEREC_WAITING_REQUESTS", default=2)

# --- Files ------------------------------------------------------------------------------------------------------------
MEDIA_ROOT = Path(env.str("STYLEREC_MEDIA", default=str(BASE_DIR / "media")))
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STYLEREC_STATIC", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "stylerec_site" / "static"]
#: Originals keep EXIF, GPS and whatever else the camera wrote: never below a public address.
PRIVATE_MEDIA_PREFIXES = ("originals/", "imports/")
S3_BUCKET = env.str("STYLEREC_S3_BUCKET", default="")
S3_ENDPOINT = env.str("STYLEREC_S3_ENDPOINT", default="")
#: Where browsers may load pictures from besides us: the endpoint, or the bucket's own host at AWS.
MEDIA_ORIGINS = [] if not S3_BUCKET else [S3_ENDPOINT or f"https://{S3_BUCKET}.s3.amazonaws.com"]
MEDIA_ORIGINS = env.list("STYLEREC_MEDIA_ORIGINS", default=MEDIA_ORIGINS)
if S3_BUCKET:
    _default_storage: dict[str, Any] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT or None,
            "file_overwrite": False,
            "querystring_auth": env.bool("STYLEREC_S3_SIGNED_URLS", default=True),
        },
    }
else:
    _default_storage = {"BACKEND": "stylerec_site.storage.WholeFileStorage"}
STORAGES = {
    "default": _default_storage,
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 2**20
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 2**20
DATA_UPLOAD_MAX_NUMBER_FILES = 500

# --- Languages --------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("简体中文"))]
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "unfold"]  # Unfold ships no Chinese
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Log-in -----------------------------------------------------------------------------------------------------------
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "stylerec_site.brakes.address_of"
AXES_LOCKOUT_CALLABLE = "stylerec_site.errors.locked_out"
CSRF_FAILURE_VIEW = "stylerec_site.errors.form_without_token"

#: Proxies of our own in front of us. What a client itself writes into X-Forwarded-For must not give it a new address.
PROXIES = env.int("STYLEREC_PROXIES", default=int(env.bool("STYLEREC_BEHIND_TLS_PROXY", default=False)))
#: What one address may do: how often, in how many seconds. Many honest people may share one, so that these are wide;
#: a good token and a known browser are never refused (stylerec_site.brakes).
LIMITS_BY_ADDRESS: dict[str, tuple[int, int]] = {
    "credentials": (60, 60),  # wrong or missing tokens and keys
    "login": (60, 900),  # failed log-ins, whatever the user names; one name at one address ends after eight
    "order": (60, 60),
    "storefront": (600, 60),  # whatever else a visitor's forms change
}

# --- Transport and browser guards -------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("STYLEREC_SSL_REDIRECT", default=True)
    #: Load balancers ask within the machine room, without TLS; neither says anything of anybody.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = env.int("STYLEREC_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-stylerec-session"
    CSRF_COOKIE_NAME = "__Host-stylerec-csrf"
    if env.bool("STYLEREC_BEHIND_TLS_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

_IMAGE_SOURCES = [SELF, "data:", "blob:", *MEDIA_ORIGINS]
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": _IMAGE_SOURCES,
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
#: Unfold's Alpine evaluates expressions: allowed under /admin/ alone (see stylerec_site.middleware).
ADMIN_CONTENT_SECURITY_POLICY = {
    "script-src": [SELF, "'unsafe-eval'", "'unsafe-inline'"],
    "style-src": [SELF, "'unsafe-inline'"],
}
API_DOCS_CONTENT_SECURITY_POLICY = {
    "script-src": [SELF, "'unsafe-inline'"],
    "style-src": [SELF, "'unsafe-inline'"],
}

# --- API --------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "catalog.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["catalog.permissions.ScopedRolePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["stylerec_site.parsers.JSONParser"],  # uploads name their own
    "DEFAULT_PAGINATION_CLASS": "stylerec_site.api.CursorPage",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "stylerec_site.api.exception_handler",
    "PAGE_SIZE": 50,
    "NUM_PROXIES": PROXIES,
    "DEFAULT_THROTTLE_CLASSES": [
        "stylerec_site.throttles.AnonymousThrottle",
        "stylerec_site.throttles.TokenThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.str("STYLEREC_THROTTLE_ANON", default="120/min"),
        "token": env.str("STYLEREC_THROTTLE_TOKEN", default="1200/min"),
    },
}
SPECTACULAR_SETTINGS = {
    "TITLE": "StyleRec API",
    "DESCRIPTION": "Train styles, stylise products, and ask what to show a shopper, in which style.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "stylerec_site.api_schema.describe_what_all_share",
    ],
    "ENUM_NAME_OVERRIDES": {
        "JobStatusEnum": "jobs.models.Job.Status",
        "ProductStatusEnum": "catalog.models.Product.Status",
        "StyledImageStatusEnum": "styling.models.StyledImage.Status",
        "ModelStatusEnum": "styling.models.StyleModel.Status",
        "WebhookEventEnum": "catalog.developers.models.WebhookEndpoint.Event",
        "DeliveryStatusEnum": "catalog.developers.models.WebhookDelivery.Status",
    },
}
CORS_ALLOWED_ORIGINS: list[str] = env.list("STYLEREC_CORS_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_HEADERS = (*default_headers, "idempotency-key", "if-match", "if-none-match", "x-merchant", "x-visitor")
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
]

#: Webhooks go to the open web over https (in development http too), and to these machines of the operator's own.
WEBHOOK_INTERNAL_HOSTS: list[str] = env.list("STYLEREC_WEBHOOK_INTERNAL_HOSTS", default=[])

# --- Events -----------------------------------------------------------------------------------------------------------
#: A batch of events that a consumer has held for so long is taken over by another.
EVENTS_TAKE_OVER_SECONDS = env.int("STYLEREC_EVENTS_TAKE_OVER", default=30)

# --- Shoppers ---------------------------------------------------------------------------------------------------------
CONSENT_TEXT_VERSION = "2026-11"
SHOPPER_COOKIE = "stylerec_visitor"
LOGIN_LOG_DAYS = env.int("STYLEREC_LOGIN_LOG_DAYS", default=90)
INTERACTION_RETENTION_DAYS = env.int("STYLEREC_RETENTION_DAYS", default=395)
STATISTICS_MINIMUM_GROUP = 10

# --- Logs -------------------------------------------------------------------------------------------------------------
_shared_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
    mask_shoppers,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer() if PRODUCTION else structlog.dev.ConsoleRenderer(colors=False),
            ],
            "foreign_pre_chain": _shared_processors,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": env.str("STYLEREC_LOG_LEVEL", default="INFO")},
}
structlog.configure(
    processors=[*_shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)

METRICS_TOKEN = env.str("STYLEREC_METRICS_TOKEN", default="")

# --- Admin ------------------------------------------------------------------------------------------------------------
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "StyleRec",
    "SITE_HEADER": "StyleRec",
    "SITE_SYMBOL": "brush",
    "LOGIN": {"form": "stylerec_site.two_factor.LoginForm"},
    "SHOW_HISTORY": True,
    "SHOW_LANGUAGES": True,
    "STYLES": [lambda _request: static("shell/shell.css")],
    "SCRIPTS": [lambda _request: static("shell/shell.js")],
    "DASHBOARD_CALLBACK": "stylerec_site.dashboard.callback",
    "SIDEBAR": {"show_search": True, "navigation": "stylerec_site.navigation.sidebar"},
}
