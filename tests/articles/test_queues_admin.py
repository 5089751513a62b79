"""The pages of the job queue in the admin."""

from __future__ import annotations

import re

import django_rq
import pytest
from django.test import Client
from django.urls import reverse
from redis import Redis

QUEUE_PAGES = ["home", "jobs", "queue_details", "clear", "workers"]
QUEUE_PAGES += [f"{kind}_jobs" for kind in ("finished", "failed", "scheduled", "started", "deferred")]


class TestQueues:
    @pytest.fixture(autouse=True)
    def _a_job(self, redis: Redis) -> None:
        django_rq.get_queue("articles").enqueue("agents.worker.jobs.run_now", 1)

    @pytest.mark.parametrize("name", QUEUE_PAGES)
    def test_its_pages_have_no_inline_code_and_no_exemption(self, browser: Client, name: str) -> None:
        response = browser.get(reverse(f"admin:django_rq_{name}", args=[] if name == "home" else [0]))
        assert response.status_code == 200
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        html = response.content.decode()
        assert not re.search(r"<style|style=\"|<script(?![^>]*\bsrc=)", html)
        assert "articles" in html

    def test_staff_need_their_permission(self, viewer: Client, client: Client) -> None:
        assert viewer.get(reverse("admin:django_rq_home")).status_code == 403
        assert viewer.post(reverse("admin:django_rq_clear", args=[0]), {"post": "yes"}).status_code == 403
        assert django_rq.get_queue("articles").count == 1
