"""All settings: a name, a default, a reason. The studio starts with nothing set.

Values come from the environment, then from ``.env`` next to ``manage.py``. State lives under ``VAR`` (``var/``).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import validate
from whitenoise.compress import Compressor

from agents.contract import AGENTS, Stage
from contentstudio.database_settings import database
from contentstudio.environment import env, secret
from contentstudio.logs import logging_config
from contentstudio.secret_settings import add_password

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_env(env.path("ENV_FILE", BASE_DIR / ".env"), recurse=False)

VERSION = "0.1.0"
VAR = Path(env.str("VAR", str(BASE_DIR / "var"))).resolve()
try:
    VAR.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds sessions, articles and a key
except OSError as error:
    raise ImproperlyConfigured(f"VAR is {VAR}, which cannot be created: {error.strerror}.") from error
if not os.access(VAR, os.W_OK | os.X_OK):
    raise ImproperlyConfigured(f"VAR is {VAR}, which user {os.geteuid()} cannot write to. Change its owner with chown.")
FIRST_LOGIN_FILE = VAR / "first-login.txt"
RECENT_LOG = VAR / "studio.log"  # of a studio in one terminal


def kept_secret() -> str:
    """The signing key if none is configured: generated once and stored in ``var/secret-key`` (mode 0600)."""
    path = VAR / "secret-key"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=VAR) as file:  # mode 0600
            file.write(secrets.token_urlsafe(50))
            file.flush()
            with suppress(FileExistsError):  # written by a process that started at the same time
                os.link(file.name, path)  # complete: another process must not read half of it
    return path.read_text()


SECRET_KEY = secret("SECRET_KEY") or kept_secret()
# Earlier keys: sessions, links and second factors that were made with them stay valid.
SECRET_KEY_FALLBACKS = secret("SECRET_KEY_FALLBACKS").replace(",", " ").split()
SIGNING_KEYS = [SECRET_KEY, *SECRET_KEY_FALLBACKS]
DEBUG = env.bool("DEBUG", False)
# Host names this studio answers to.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "daphne",
    "articles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "csp",
    "django_rq",
    "ninja",
]

MIDDLEWARE = [
    "contentstudio.logs.request_ids",
    "contentstudio.middleware.private_responses",
    "contentstudio.api_errors.json_errors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "contentstudio.middleware.traced_requests",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "articles.middleware.htmx_redirects",
    "accounts.middleware.WaitPages",
    "accounts.middleware.request_quota",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.two_factor_policy",
]

ROOT_URLCONF = "contentstudio.urls"
ASGI_APPLICATION = "contentstudio.asgi.application"
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
                "accounts.context.sign_in",
            ],
        },
    },
]


# Database

# In lower case, so that it is no setting, which error pages would show.
database_url = add_password(secret("DATABASE_URL"), secret("DATABASE_PASSWORD"), setting="DATABASE")
DATABASES = {"default": database(database_url or f"sqlite:///{VAR / 'studio.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# Files of this machine's processes, even if VAR is shared by several machines: heartbeats for health checks.
LOCAL = Path(tempfile.gettempdir()) / f"contentstudio-{hashlib.sha256(os.fsencode(VAR)).hexdigest()[:16]}"


def redis_socket() -> Path:
    """``var/redis.sock``, or a path in the temporary directory if VAR is too deep: a socket's path has at most 100 bytes."""
    return (VAR if len(os.fsencode(VAR / "redis.sock")) <= 100 else LOCAL) / "redis.sock"


# Redis holds jobs and notifications only and may be emptied at any time. Without REDIS_URL, `manage.py studio` starts one.
REDIS_SOCKET = redis_socket()
REDIS_URL = add_password(secret("REDIS_URL"), secret("REDIS_PASSWORD"), setting="REDIS")
REDIS_ADDRESS = REDIS_URL or f"unix://{quote(str(REDIS_SOCKET))}"

# No time limit for jobs: a slow local model may take hours for a long article. Leases detect dead workers.
RQ_QUEUES = {"articles": {"URL": REDIS_ADDRESS, "DEFAULT_TIMEOUT": -1, "DEFAULT_RESULT_TTL": 600}}
RQ = {
    "WORKER_CLASS": "agents.worker.rq_worker.CrewWorker",
    # articles.runs.queue.enqueue waits for the commit itself, to handle an unreachable queue.
    "COMMIT_MODE": "auto",
}
RQ_SHOW_ADMIN_LINK = True

CACHES = {
    "default": {
        "BACKEND": "contentstudio.access.cache.FailOpenCache",
        "LOCATION": REDIS_ADDRESS,
        "KEY_PREFIX": "studio:cache",
        "OPTIONS": {"serializer": "contentstudio.access.cache.JsonSerializer", "socket_timeout": 1},
    },
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

CHANNEL_LAYERS = {
    "default": {
        # Unlike the default layer, this one has no capacity beyond which it drops messages.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # redis-py's default read timeout is as long as the layer's wait, and would close every idle socket.
        "CONFIG": {"hosts": [{"address": REDIS_ADDRESS, "socket_timeout": None}]},
    },
}


# AI provider. A local server without a key needs OPENAI_BASE_URL only.
OPENAI_API_KEY = secret("OPENAI_API_KEY")
OPENAI_BASE_URL = secret("OPENAI_BASE_URL")
LLM_MODEL = env.str("LLM_MODEL", "gpt-4o-mini")
# Another model for one agent: LLM_MODEL_WRITE=gpt-4o
LLM_MODELS: dict[Stage, str] = {stage: env.str(f"LLM_MODEL_{stage.upper()}", "") or LLM_MODEL for stage in AGENTS}
LLM_TIMEOUT = env.float("LLM_TIMEOUT", 60.0)  # seconds without data after which a call is aborted
LLM_PATIENCE = env.float("LLM_PATIENCE", 120.0)  # seconds for all attempts of one call together
# Concurrent calls of a process, for all its articles. Sections are written in parallel: 26 for 5,000 words.
LLM_MAX_CONCURRENCY = env.int("LLM_MAX_CONCURRENCY", 64)
IMAGE_MODEL = env.str("IMAGE_MODEL", "gpt-image-1")  # empty: the studio draws the cover itself
HAS_MODEL = bool(OPENAI_API_KEY or OPENAI_BASE_URL)

# Spending limits in US dollars; 0 is no limit. Limits set for a user in the admin take precedence.
MAX_COST_PER_RUN = env.decimal("MAX_COST_PER_RUN", Decimal(0))
MAX_COST_PER_MONTH = env.decimal("MAX_COST_PER_MONTH", Decimal(0))  # of one user
PRICES_FILE = env.str("PRICES_FILE", "")  # like agents/config/prices.yaml, for other models

# Research. "auto": the first provider that is configured, else the free ones. "none": only the sources of the brief.
SEARCH_PROVIDER = env.str("SEARCH_PROVIDER", "auto")
TAVILY_API_KEY = secret("TAVILY_API_KEY")
BRAVE_API_KEY = secret("BRAVE_API_KEY")
SEARXNG_URL = secret("SEARXNG_URL")
RESEARCH_SECONDS = env.float("RESEARCH_SECONDS", 20.0)  # for searching and reading together
# Tokens of sources that each planning, writing and review call is shown; longer readings are cut to the best passages.
READING_TOKENS = env.int("READING_TOKENS", 16_000, validate=validate.Range(min=2_000))
# Private hosts and networks that may be fetched, such as an intranet wiki: "10.1.2.0/24,wiki.example.internal".
FETCH_ALLOW: list[str] = env.list("FETCH_ALLOW", [])

# A worker holds a lease on its run and renews it. A run whose lease has expired is given to another worker.
LEASE_SECONDS = env.float("LEASE_SECONDS", 15.0)
MAX_ATTEMPTS = env.int("MAX_ATTEMPTS", 3)
# Articles a worker process writes at once. They share its memory; if it is killed, all of them continue in other processes.
ARTICLES_PER_WORKER = env.int("ARTICLES_PER_WORKER", 4)
# Runs of one user in progress at once. 0: all but two places if there are other users, so that these need not wait.
RUNS_PER_USER = env.int("RUNS_PER_USER", 0)


# Access; sign-in has settings of its own

from .sign_in_settings import *  # noqa: E402, F403  (it reads what read_env has put into the environment)

# Origins whose pages may call the API from a browser. Sockets are opened from the studio's own origin only.
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", [])
CORS_URLS_REGEX = r"^/api/"

HTTPS = env.bool("HTTPS", False)  # served behind TLS: cookies and redirects follow
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
# With this prefix browsers accept the cookies over TLS only, and from no other host of the domain.
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid", f"{COOKIE_PREFIX}csrftoken"
SECURE_REDIRECT_EXEMPT = [r"^api/health$"]  # load balancers ask without TLS, and not through the proxy
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
# Proxies in front of each other. Each appends to X-Forwarded-For the address it was called from.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 1, validate=validate.Range(min=1))
if BEHIND_PROXY:  # trust X-Forwarded-Proto: the proxy has to set it on every request
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    },
}

from .limit_settings import *  # noqa: E402, F403

# Open connections of one address, to each web process. 0: no limit, as behind a proxy, which is the only client then.
MAX_CONNECTIONS_PER_CLIENT = 0 if BEHIND_PROXY else env.int("MAX_CONNECTIONS_PER_CLIENT", 512)


# Files

STATIC_URL = "static/"
# If it is set, the files were collected in advance by `manage.py collectstatic`, as in the container image.
STATIC_COLLECTED = bool(env.str("STATIC_ROOT", ""))
STATIC_ROOT = Path(env.str("STATIC_ROOT", "") or VAR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "media/"
MEDIA_ROOT = VAR / "media"

from .storage_settings import *  # noqa: E402, F403

STORAGES = {
    **file_storages(VAR),  # noqa: F405
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Collecting files is the slowest part of the first start: compress each once, and source maps not at all.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

# Backups that the studio makes by itself: every so many hours (0: none), and before the migrations of a new version.
BACKUP_DIR = Path(env.str("BACKUP_DIR", "") or VAR / "backups").resolve()
BACKUP_EVERY_HOURS = env.float("BACKUP_EVERY_HOURS", 24.0, validate=validate.Range(min=0))
BACKUP_KEEP = env.int("BACKUP_KEEP", 7, validate=validate.Range(min=0))  # of each of the two kinds; 0: all
BACKUP_BEFORE_MIGRATION = env.bool("BACKUP_BEFORE_MIGRATION", True)

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
PUBLISHER = env.str("PUBLISHER", "Content Studio")  # publisher of the articles in their structured data
USE_I18N = False
USE_TZ = True

# Monitoring; it has settings of its own

from .monitoring_settings import *  # noqa: E402, F403

LOGGING = logging_config(
    LOG_FORMAT,  # noqa: F405
    LOG_LEVEL,  # noqa: F405
    secrets=[
        *(*SIGNING_KEYS, OPENAI_API_KEY, TAVILY_API_KEY, BRAVE_API_KEY, METRICS_TOKEN),  # noqa: F405
        *(SIGN_IN_SECRETS + STORAGE_SECRETS + TRACES_SECRETS),  # noqa: F405
    ],
    addresses=[database_url, REDIS_URL, OPENAI_BASE_URL, SEARXNG_URL, S3_ENDPOINT_URL, *TRACES_ADDRESSES],  # noqa: F405
)

# CrewAI reads these when it is imported: no telemetry, no traces of its own, nothing outside var/.
os.environ.update(
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_TRACING_ENABLED="false",
    CREWAI_STORAGE_DIR=str(VAR / "crewai"),
)
