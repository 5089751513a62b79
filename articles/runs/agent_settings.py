"""The settings of the six agents: as editors changed them, and as a run was started with."""

from __future__ import annotations

from django.conf import settings

from agents.contract import AGENTS, AgentConfig, Stage
from agents.costs.estimate import StageModels
from articles.models import AgentProfile, Run, Status


def customized_agents() -> dict[Stage, AgentConfig]:
    """The agents with changed settings."""
    changed = {profile.stage: profile.as_contract() for profile in AgentProfile.objects.all() if profile.is_changed}
    return {stage: changed[stage] for stage in AGENTS if stage in changed}


def agents_for_run(run_id: int) -> dict[Stage, AgentConfig]:
    """The agents' settings of a run, stored when it is first claimed; a resumed run keeps them.

    Call this before claiming the run, because the claim records the model. Two workers that race for a run store them once.
    """
    now = {stage: words.model_dump(mode="json", exclude_defaults=True) for stage, words in customized_agents().items()}
    Run.objects.filter(pk=run_id, agents__isnull=True, status=Status.PENDING).update(agents=now)
    kept = Run.objects.filter(pk=run_id).values_list("agents", flat=True).first() or {}
    return {stage: AgentConfig.model_validate(kept[stage]) for stage in AGENTS if stage in kept}


def models_for(run: Run | None = None) -> StageModels:
    """The models of the current settings, or those that ``run`` was started with."""
    if not settings.HAS_MODEL:
        return StageModels({})
    kept = run.agents if run else None
    own = customized_agents() if kept is None else {stage: AgentConfig.model_validate(kept[stage]) for stage in kept}
    by_stage = {stage: own.get(stage, AgentConfig()).model or model for stage, model in settings.LLM_MODELS.items()}
    return StageModels(by_stage, settings.IMAGE_MODEL)
