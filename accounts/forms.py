"""django-allauth's forms, with the studio's field names and the choice to revoke API keys."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest

from accounts import mail


class SignInForm(allauth_forms.LoginForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs |= {"autofocus": True, "autocapitalize": "none"}
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        self.fields["password"].help_text = ""

    def add_prefix(self, field_name: str) -> str:
        """The field is called “username” in the page: password managers and scripts look for that."""
        return "username" if field_name == "login" else field_name


class RevokeKeysMixin(forms.Form):
    """Offers to revoke the user's API keys together with a new password: whoever knew the old one may have made some."""

    user: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        self.fields["password1"].label, self.fields["password2"].label = "New password", "New password again"
        self.fields["password1"].help_text = " ".join(password_validators_help_texts())
        count = self.user.api_keys.filter(revoked_at=None).count() if self.user else 0
        if count:
            self.fields["revoke_keys"] = forms.BooleanField(
                required=False,
                initial=self.revokes_by_default,
                label=f"Revoke {'my API key' if count == 1 else f'my {count} API keys'}",
                help_text="Keys work without the password. Programs that use them need new ones.",
            )

    revokes_by_default = False

    def revoke_keys(self) -> None:
        if self.cleaned_data.get("revoke_keys"):
            self.user.api_keys.all().revoke()


class ChangePasswordForm(RevokeKeysMixin, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label, self.fields["oldpassword"].help_text = "Current password", ""

    def save(self) -> None:
        super().save()
        self.revoke_keys()


class AskForResetForm(allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """Looks the address up, and sends the mail, only after the answer: its time would tell which addresses exist."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs.pop("placeholder", None)

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        return address

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        def look_up_and_send() -> None:
            allauth_forms.ResetPasswordForm.clean_email(self)
            allauth_forms.ResetPasswordForm.save(self, request, **kwargs)

        mail.outbox.submit(look_up_and_send)
        return self.clean_email()


class ResetPasswordForm(RevokeKeysMixin, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    revokes_by_default = True

    def save(self) -> None:
        super().save()
        self.revoke_keys()
