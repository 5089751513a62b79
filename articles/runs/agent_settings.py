"""The six agents as editors set them up, and as a run keeps them."""

from __future__ import annotations

from django.conf import settings

from agents.contract import AGENTS, AgentConfig, Stage
from agents.costs.estimate import StageModels
from articles.models import AgentProfile, Run, Status


def customized_agents() -> dict[Stage, AgentConfig]:
    """What an editor changed of the six, now; an agent nobody touched is left out."""
    changed = {profile.stage: profile.as_contract() for profile in AgentProfile.objects.all() if profile.is_changed}
    return {stage: changed[stage] for stage in AGENTS if stage in changed}


def agents_for_run(run_id: int) -> dict[Stage, AgentConfig]:
    """The six as they were set up when the run was first taken up; a run that goes on keeps them.

    To be asked before the run is claimed, as the claim tells who writes. Two workers that race for a run write it once.
    """
    now = {stage: words.model_dump(mode="json", exclude_defaults=True) for stage, words in customized_agents().items()}
    Run.objects.filter(pk=run_id, agents__isnull=True, status=Status.PENDING).update(agents=now)
    kept = Run.objects.filter(pk=run_id).values_list("agents", flat=True).first() or {}
    return {stage: AgentConfig.model_validate(kept[stage]) for stage in AGENTS if stage in kept}


def models_for(run: Run | None = None) -> StageModels:
    """The models that write now; of a ``run`` that was taken up, those it began with."""
    if not settings.HAS_MODEL:
        return StageModels({})
    kept = run.agents if run else None
    own = customized_agents() if kept is None else {stage: AgentConfig.model_validate(kept[stage]) for stage in kept}
    by_stage = {stage: own.get(stage, AgentConfig()).model or model for stage, model in settings.LLM_MODELS.items()}
    return StageModels(by_stage, settings.IMAGE_MODEL)
