"""Settings of sign-in: passwords, limits on guessing, and the audit log. Part of ``contentstudio.settings``."""

from __future__ import annotations

from environs import Env, validate

env = Env()

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "article_list"
LOGOUT_REDIRECT_URL = "login"
CSRF_FAILURE_VIEW = "articles.views.sessions.csrf_failure"
AUTHENTICATION_BACKENDS = ["accounts.backends.StudioBackend"]

# Failed sign-ins within SIGN_IN_SECONDS, after which an account or an address has to wait. 0: no limit.
SIGN_IN_ATTEMPTS = env.int("SIGN_IN_ATTEMPTS", 10)
SIGN_IN_ATTEMPTS_PER_ADDRESS = env.int("SIGN_IN_ATTEMPTS_PER_ADDRESS", 50)  # an office may share one address
SIGN_IN_SECONDS = env.int("SIGN_IN_SECONDS", 900)
INVALID_KEYS_PER_MINUTE = env.int("INVALID_KEYS_PER_MINUTE", 60)  # from one address

# Length and a list of known passwords, as NIST SP 800-63B advises; no rules on digits and signs.
PASSWORD_MIN_LENGTH = env.int("PASSWORD_MIN_LENGTH", 12, validate=validate.Range(min=8))
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": PASSWORD_MIN_LENGTH},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "contentstudio.access.password_hashers.BoundedPBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]

AUDIT_DAYS = env.int("AUDIT_DAYS", 365)  # entries of the audit log are kept for so long; 0: for ever
