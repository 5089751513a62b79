"""What sign-in pages show."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def sign_in(request: HttpRequest) -> dict[str, dict[str, object]]:
    """``sign_in`` in templates: the provider's name if there is one, whether passwords work, and whether mail is sent."""
    provider = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
    return {"sign_in": {"provider": provider, "local": settings.LOCAL_LOGIN, "mail": bool(settings.EMAIL_HOST)}}
