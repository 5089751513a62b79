"""The pages of the job queue in the admin."""

from __future__ import annotations

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
    def test_its_pages_allow_inline_styles_and_no_inline_scripts(self, browser: Client, name: str) -> None:
        response = browser.get(reverse(f"admin:django_rq_{name}", args=[] if name == "home" else [0]))
        assert response.status_code == 200
        policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
        assert (policy["style-src"], policy["script-src"]) == ("'self' 'unsafe-inline'", "'self'")

    def test_other_pages_stay_strict(self, browser: Client) -> None:
        assert "unsafe-inline" not in browser.get(reverse("admin:index")).headers["Content-Security-Policy"]

    def test_staff_need_their_permission(self, viewer: Client, client: Client) -> None:
        assert viewer.get(reverse("admin:django_rq_home")).status_code == 403
        assert viewer.post(reverse("admin:django_rq_clear", args=[0]), {"post": "yes"}).status_code == 403
        assert django_rq.get_queue("articles").count == 1
