"""The six agents in the admin, and the settings a run keeps."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from agents.contract import AGENTS, AgentConfig
from agents.prompts import config
from articles.models import AgentProfile, Run
from articles.runs.agent_settings import agents_for_run, customized_agents
from articles.services import cancel_run, retry_run, start_run
from tests.factories import StaffFactory, UserFactory, claim, make_article

pytestmark = pytest.mark.django_db

LIST = "admin:articles_agentprofile_changelist"
PAGE = "admin:articles_agentprofile_change"


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(StaffFactory.create())
    return client


@pytest.fixture
def profile() -> AgentProfile:
    AgentProfile.objects.complete()
    return AgentProfile.objects.get(stage="write")


def form(**changes: object) -> dict[str, object]:
    return {"role": "", "goal": "", "backstory": "", "model": "", "temperature": "", "max_tokens": "", **changes}


def save(browser: Client, profile: AgentProfile, **changes: object) -> Any:
    return browser.post(reverse(PAGE, args=[profile.pk]), form(**changes), follow=True)


class TestPages:
    def test_all_six_are_listed_however_often_it_is_opened(self, browser: Client) -> None:
        for _ in range(2):
            listed = browser.get(reverse(LIST)).context["cl"].result_list
            assert [profile.stage for profile in listed] == list(AGENTS)

    def test_agents_cannot_be_added_or_deleted(self, browser: Client, profile: AgentProfile) -> None:
        assert browser.get(reverse("admin:articles_agentprofile_add")).status_code == 403
        assert browser.get(reverse("admin:articles_agentprofile_delete", args=[profile.pk])).status_code == 403
        assert "Delete selected" not in browser.get(reverse(LIST)).content.decode()

    def test_each_field_shows_its_default(self, browser: Client, profile: AgentProfile, settings: Any) -> None:
        settings.LLM_MODELS = {**settings.LLM_MODELS, "write": "house-model"}
        page = unescape(browser.get(reverse(PAGE, args=[profile.pk])).content.decode())
        for text in (*config("agents")["WriterAgent"].values(), "house-model"):
            assert f"Default: {text}" in page

    def test_the_list_shows_what_is_in_use_and_what_of_it_was_changed(
        self, browser: Client, profile: AgentProfile
    ) -> None:
        AgentProfile.objects.filter(pk=profile.pk).update(role="Poet", max_tokens=900)
        page = browser.get(reverse(LIST)).content.decode()
        assert "Poet" in page
        assert "Commissioning editor" in page
        assert '<td class="field-changed">role, max tokens</td>' in page

    def test_a_change_is_kept(self, browser: Client, profile: AgentProfile) -> None:
        save(browser, profile, role=" Poet ", backstory="You {x} {role} {{y}} {", temperature="0.3", max_tokens="900")
        assert customized_agents() == {
            "write": AgentConfig(role="Poet", backstory="You {x} {role} {{y}} {", temperature=0.3, max_tokens=900)
        }

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("temperature", "2.5", "less than or equal to 2"),
            ("temperature", "-1", "greater than or equal to 0"),
            ("temperature", "nan", "Enter a number"),
            ("max_tokens", "100", "greater than or equal to 200"),
            ("max_tokens", "9" * 30, "less than or equal to"),
            ("role", "x" * 201, "at most 200 characters"),
            ("backstory", "x" * 5001, "at most 5000 characters"),
        ],
    )
    def test_invalid_values_are_refused(
        self, browser: Client, profile: AgentProfile, field: str, value: str, said: str
    ) -> None:
        assert said in save(browser, profile, **{field: value}).content.decode()
        assert customized_agents() == {}

    def test_the_button_resets_one_and_its_history_keeps_what_it_was(
        self, browser: Client, profile: AgentProfile
    ) -> None:
        AgentProfile.objects.update(role="Poet", temperature=0.3)
        assert 'name="_reset"' in browser.get(reverse(PAGE, args=[profile.pk])).content.decode()
        response = save(browser, profile, _reset="Reset to defaults", temperature="not a number")
        assert [str(message) for message in response.context["messages"]] == ["Reset to defaults: WriterAgent."]
        assert "write" not in customized_agents()
        assert len(customized_agents()) == 5
        assert (
            LogEntry.objects.get().get_change_message() == "Reset to defaults. Old values: role: Poet; temperature: 0.3"
        )

    def test_the_action_resets_those_chosen(self, browser: Client, profile: AgentProfile) -> None:
        AgentProfile.objects.update(model="other")
        chosen = list(AgentProfile.objects.values_list("pk", flat=True)[:5])
        browser.post(reverse(LIST), {"action": "reset", "_selected_action": chosen})
        assert list(customized_agents()) == ["image"]

    def test_resetting_a_missing_agent_is_refused(self, browser: Client) -> None:
        for number in ("99", "abc"):
            assert browser.post(reverse(PAGE, args=[number]), {"_reset": "1"}).status_code == 302


class TestPermissions:
    @pytest.fixture
    def viewer(self, client: Client) -> Client:
        user: User = UserFactory.create(is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_agentprofile"))
        client.force_login(user)
        return client

    def test_viewers_cannot_change_or_reset(self, viewer: Client, profile: AgentProfile) -> None:
        AgentProfile.objects.update(role="Poet")
        page = viewer.get(reverse(PAGE, args=[profile.pk]))
        assert page.status_code == 200
        assert "_reset" not in page.content.decode()
        assert save(viewer, profile, role="Other").status_code == 403
        assert save(viewer, profile, _reset="1").status_code == 403
        viewer.post(reverse(LIST), {"action": "reset", "_selected_action": [profile.pk]})
        assert customized_agents()["write"].role == "Poet"

    def test_staff_without_the_permission_see_nothing_and_make_no_rows(self, client: Client) -> None:
        client.force_login(UserFactory.create(is_staff=True))
        assert client.get(reverse(LIST)).status_code == 403
        assert not AgentProfile.objects.exists()


class TestRuns:
    """``agents_for_run`` is asked by the worker before it claims."""

    @pytest.fixture
    def run(self) -> Run:
        found = make_article(UserFactory.create()).latest_run()
        assert found
        return found

    def test_unchanged_agents_are_stored_as_empty(self, run: Run, profile: AgentProfile) -> None:
        assert agents_for_run(run.pk) == {}
        run.refresh_from_db()
        assert run.agents == {}

    def test_a_run_keeps_its_agents_when_they_are_changed(self, run: Run, profile: AgentProfile) -> None:
        AgentProfile.objects.filter(pk=profile.pk).update(role="Poet", model="large")
        assert agents_for_run(run.pk) == {"write": AgentConfig(role="Poet", model="large")}
        claim(run.article)
        AgentProfile.objects.update(role="Critic")
        cancel_run(article=run.article, by=None)
        retry_run(article=run.article, by=None)
        assert agents_for_run(run.pk)["write"].role == "Poet"

    def test_a_run_that_began_with_the_defaults_keeps_those(self, run: Run, profile: AgentProfile) -> None:
        agents_for_run(run.pk)
        AgentProfile.objects.update(role="Critic")
        assert agents_for_run(run.pk) == {}

    def test_a_new_run_takes_the_new_ones(self, run: Run, profile: AgentProfile) -> None:
        agents_for_run(run.pk)
        cancel_run(article=run.article, by=None)
        AgentProfile.objects.filter(pk=profile.pk).update(temperature=0.0)
        assert agents_for_run(start_run(article=run.article, by=None).pk) == {"write": AgentConfig(temperature=0.0)}

    def test_a_waiting_run_takes_the_settings_at_its_claim(self, run: Run, profile: AgentProfile) -> None:
        AgentProfile.objects.filter(pk=profile.pk).update(goal="Rhyme")
        assert agents_for_run(run.pk)["write"].goal == "Rhyme"

    def test_a_deleted_run_has_no_agents(self) -> None:
        assert agents_for_run(99) == {}
