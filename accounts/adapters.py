"""What the studio does differently from django-allauth's defaults."""

from __future__ import annotations

import logging
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from accounts import oidc
from accounts.backends import may_sign_in_locally
from accounts.limits import remember_browser
from accounts.mail import deliver
from contentstudio.access import encryption
from contentstudio.access.client_address import client_address
from contentstudio.access.two_factor import came_by_provider, records_of

log = logging.getLogger(__name__)

UNREADABLE = "Your second factor cannot be checked, because the key that it was stored with is missing."
UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  (stored, not listened on)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "Please enter a correct username and password. Both are case-sensitive.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Administrators create users."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """The backend counts attempts, whichever form they come from."""

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Nothing is counted here; see ``pre_authenticate``."""

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or UNKNOWN_ADDRESS

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Not to users of a provider, who have no password here."""
        if user.has_usable_password():
            super().send_password_reset_mail(user, email, context)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Called in the thread of ``accounts.mail``. Tries again while the server does not take the mail."""
        deliver(
            self.render_mail(template_prefix, email, {"request": context.get("request"), "email": email, **context})
        )

    def pre_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse | None:
        """Passkeys are local too. Raises PermissionDenied for users who have to come by the provider."""
        if not may_sign_in_locally(user.get_username()) and not came_by_provider(request.session, user):
            raise PermissionDenied(f"Passkeys are not accepted here. Sign in with {settings.OIDC_NAME}.")
        response: HttpResponse | None = super().pre_login(request, user, **options)
        return response

    def post_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **options)
        remember_browser(response, user)
        return response

    def is_reauthentication_required(self, *, app: str = "", **options: Any) -> bool:
        """Not soon after a sign-in. Raises PermissionDenied for users who have nothing to confirm with."""
        request = context.request
        records = records_of(request.session, request.user)
        if any(time.time() - record["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT for record in records):
            return False
        if not get_reauthentication_flows(request.user):
            raise PermissionDenied("To do this, you must have signed in a short while ago. Sign out and in again.")
        return True


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return encryption.decrypt(encrypted_text)
        except encryption.KeyMissing as error:
            log.critical("SECRET_KEY has changed: add the former one to SECRET_KEY_FALLBACKS to read second factors.")
            raise PermissionDenied(UNREADABLE) from error

    def get_totp_issuer(self) -> str:
        return f"Content Studio ({context.request.get_host()})"

    def generate_authenticator_name(self, user: User, type: str) -> str:
        return "Passkey"


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return bool(settings.OIDC_SIGN_UP)

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if sociallogin.is_existing:
            oidc.update_roles(sociallogin.user, sociallogin.account.extra_data)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        oidc.update_roles(user, sociallogin.account.extra_data)
        return user
