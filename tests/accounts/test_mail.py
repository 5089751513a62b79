"""Mail that is sent beside requests: answers neither wait for the server nor tell which addresses exist."""

from __future__ import annotations

import threading
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts import mail as sending
from tests.factories import UserFactory
from tests.waiting import wait_until

KNOWN, UNKNOWN = "ada@example.com", "eve@example.com"


@pytest.fixture
def real_outbox(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> sending.Outbox:
    settings.EMAIL_HOST = "mail.example.com"
    outbox = sending.Outbox()
    monkeypatch.setattr(sending, "outbox", outbox)
    return outbox


def ask(client: Client, address: str) -> Any:
    return client.post("/sign-in/password/", {"email": address})


@pytest.mark.django_db(transaction=True)
def test_the_answer_does_not_wait_for_a_slow_server(
    client: Client, real_outbox: sending.Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    UserFactory.create(email=KNOWN)
    answers = threading.Event()

    def slow(message: EmailMessage, fail_silently: bool = False) -> int:
        assert answers.wait(30)
        mail.outbox.append(message)
        return 1

    monkeypatch.setattr(EmailMessage, "send", slow)
    assert ask(client, KNOWN).status_code == 302
    assert mail.outbox == []
    answers.set()
    wait_until(lambda: len(mail.outbox) == 1)
    assert "/sign-in/password/" in mail.outbox[0].body


@pytest.mark.django_db
def test_known_and_unknown_addresses_cost_the_same_work(
    client: Client, real_outbox: sending.Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    UserFactory.create(email=KNOWN)
    monkeypatch.setattr(sending.Outbox, "submit", lambda self, task: None)
    statements = {}
    for address in (KNOWN, UNKNOWN):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert ask(client, address).status_code == 302
        statements[address] = len(queries)
    assert statements[KNOWN] == statements[UNKNOWN] == 0


def test_a_mail_that_is_not_taken_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [SMTPServerDisconnected("restarting"), ConnectionRefusedError()]
    waits: list[float] = []
    monkeypatch.setattr(sending.deliver.retry, "sleep", waits.append)
    real = EmailMessage.send

    def send(message: EmailMessage, fail_silently: bool = False) -> int:
        if failures:
            raise failures.pop(0)
        return real(message)

    monkeypatch.setattr(EmailMessage, "send", send)
    sending.deliver(EmailMessage("subject", "text", to=[KNOWN]))
    assert len(mail.outbox) == 1
    assert waits == [2, 4]


def test_further_mails_are_dropped_while_many_wait(
    real_outbox: sending.Outbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda self: None)
    for _ in range(sending.MAX_WAITING + 1):
        real_outbox.submit(lambda: None)
    assert "100 are waiting already" in caplog.text


def test_a_failure_does_not_end_the_thread(real_outbox: sending.Outbox, caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()

    def fails() -> None:
        raise ValueError("broken template")

    real_outbox.submit(fails)
    real_outbox.submit(done.set)
    assert done.wait(10)
    assert "broken template" in caplog.text
