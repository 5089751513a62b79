"""Settings of sign-in: passwords, second factors, OpenID Connect, limits and the audit log. Part of ``contentstudio.settings``.

Pages and flows are django-allauth's; its settings begin with ACCOUNT, MFA, SOCIALACCOUNT and USERSESSIONS.
"""

from __future__ import annotations

from environs import validate

from contentstudio.environment import env, secret

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "article_list"
LOGOUT_REDIRECT_URL = "account_login"
CSRF_FAILURE_VIEW = "articles.views.sessions.csrf_failure"
AUTHENTICATION_BACKENDS = ["accounts.backends.StudioBackend"]


# Limits

# Failed sign-ins within SIGN_IN_SECONDS, after which an account or an address has to wait. 0: no limit.
SIGN_IN_ATTEMPTS = env.int("SIGN_IN_ATTEMPTS", 10)
SIGN_IN_ATTEMPTS_PER_ADDRESS = env.int("SIGN_IN_ATTEMPTS_PER_ADDRESS", 50)  # an office may share one address
SIGN_IN_SECONDS = env.int("SIGN_IN_SECONDS", 900)
INVALID_KEYS_PER_MINUTE = env.int("INVALID_KEYS_PER_MINUTE", 60)  # from one address
ACCOUNT_RATE_LIMITS = {
    "login": None,  # accounts.backends counts failed ones, of all forms
    "login_failed": "5/5m/key",  # wrong codes of a second factor; its key is the user
}


# Passwords

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


# Accounts

ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "reset_password": "accounts.forms.AskForResetForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # administrators enter the addresses
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True  # as long as SESSION_COOKIE_AGE
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900  # seconds
REQUIRE_TWO_FACTOR = env.str("REQUIRE_TWO_FACTOR", "none", validate=validate.OneOf(["none", "staff", "all"]))
MFA_ADAPTER = "accounts.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # steps of 30 s, for clocks that differ
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # http://localhost; browsers refuse others without TLS themselves


# Mail, for forgotten passwords. None is sent without EMAIL_HOST.

EMAIL_HOST = env.str("EMAIL_HOST", "")
EMAIL_PORT = env.int("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", True)  # STARTTLS
EMAIL_TIMEOUT = 15  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Content Studio <studio@localhost>")


# OpenID Connect

OIDC_ISSUER = env.str("OIDC_ISSUER", "")  # without /.well-known/openid-configuration
OIDC_NAME = env.str("OIDC_NAME", "single sign-on")
OIDC_SIGN_UP = env.bool("OIDC_SIGN_UP", True)  # create a user at the first sign-in
OIDC_LINK_BY_EMAIL = env.bool("OIDC_LINK_BY_EMAIL", False)  # sign in existing users by their verified address
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", "groups")
# Members of these groups become staff or superusers, and others cease to be it. Empty: the claim is not looked at.
OIDC_STAFF_GROUPS: list[str] = env.list("OIDC_STAFF_GROUPS", [])
OIDC_SUPERUSER_GROUPS: list[str] = env.list("OIDC_SUPERUSER_GROUPS", [])
# Without local sign-in, passwords work for the users in BREAK_GLASS_USERS only, for when the provider is down.
LOCAL_LOGIN = env.bool("LOCAL_LOGIN", True)
BREAK_GLASS_USERS: list[str] = env.list("BREAK_GLASS_USERS", [])
SOCIALACCOUNT_ADAPTER = "accounts.adapters.SocialAccountAdapter"
SOCIALACCOUNT_QUERY_EMAIL = False
SOCIALACCOUNT_LOGIN_ON_GET = True  # a link: the Content-Security-Policy forbids forms that lead to other sites
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
OIDC_CLIENT_SECRET = secret("OIDC_CLIENT_SECRET")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "EMAIL_AUTHENTICATION": OIDC_LINK_BY_EMAIL,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": OIDC_NAME,
                "client_id": env.str("OIDC_CLIENT_ID", ""),
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}

AUDIT_DAYS = env.int("AUDIT_DAYS", 365)  # entries of the audit log are kept for so long; 0: for ever

SIGN_IN_SECRETS = [EMAIL_HOST_PASSWORD, OIDC_CLIENT_SECRET]  # never logged
