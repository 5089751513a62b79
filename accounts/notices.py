"""Mails that tell users what has changed in how one gets into their account. They notice if it was not them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import transaction

from accounts import mail

TEXT = """{what}

Account: {name}

If it was you, or an administrator whom you asked, there is nothing to do. If not: change your password, end other sessions and
revoke API keys on your account page, and tell an administrator of the studio.
"""


def send_notice(user: User, what: str, *, address: str = "") -> None:
    """Send a notice once the change is committed, to ``address`` or the user's. Not without a mail server."""
    recipient = address or user.email
    if not settings.EMAIL_HOST or not recipient:
        return
    message = EmailMessage(
        "Your Content Studio account", TEXT.format(what=what, name=user.get_username()), to=[recipient]
    )
    transaction.on_commit(lambda: mail.outbox.submit(lambda: mail.deliver(message)))
