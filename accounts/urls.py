"""URLs of sign-in and of the account. The views and the names are django-allauth's."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as social
from allauth.socialaccount.providers.openid_connect import views as oidc
from django.urls import URLPattern, path, re_path

from accounts import views
from accounts.personal_data import views as data

SECURITY = "account/security/"

urlpatterns: list[URLPattern] = [
    path("sign-in/", account.login, name="account_login"),
    path("sign-in/again/", views.sign_in_again, name="sign_in_again"),
    path("sign-in/two-factor/", mfa.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/inactive/", account.account_inactive, name="account_inactive"),
    path("sign-in/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("sign-in/confirm/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("sign-in/confirm/passkey/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("sign-in/password/", account.password_reset, name="account_reset_password"),
    path("sign-in/password/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^sign-in/password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "sign-in/password/changed/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("sign-in/<slug:provider_id>/start/", views.provider_page(oidc.login), name="openid_connect_login"),
    path("sign-in/<slug:provider_id>/callback/", views.provider_page(oidc.callback), name="openid_connect_callback"),
    path("sign-in/error/", social.login_error, name="socialaccount_login_error"),
    path("sign-in/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("sign-up/", account.signup, name="account_signup"),
    path("sign-up/account/", social.signup, name="socialaccount_signup"),
    path("sign-out/", account.logout, name="account_logout"),
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/password/set/", views.no_own_password, name="account_set_password"),
    path("account/sessions/", views.sessions, name="usersessions_list"),
    path("account/data/", data.personal_data, name="personal_data"),
    path("account/data/export", data.export_data, name="export_data"),
    path("account/data/<int:pk>/download", data.download_data, name="download_data"),
    path("account/delete/", data.delete_account, name="delete_account"),
    path(SECURITY, mfa.index, name="mfa_index"),
    path(f"{SECURITY}app/add/", totp.activate_totp, name="mfa_activate_totp"),
    path(f"{SECURITY}app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path(f"{SECURITY}codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(f"{SECURITY}codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path(f"{SECURITY}codes/download/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path(f"{SECURITY}passkeys/", mfa.index, name="mfa_list_webauthn"),
    path(f"{SECURITY}passkeys/add/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path(f"{SECURITY}passkeys/<int:pk>/remove/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path(f"{SECURITY}passkeys/<int:pk>/edit/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
]
