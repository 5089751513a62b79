"""Endpoint for the studio's voices."""

from __future__ import annotations

from ninja import Router

from articles.api.requests import AuthedRequest
from articles.api.schemas.articles import Problem, VoiceOut, VoicesOut
from articles.models import Voice

router = Router(tags=["voices"])


@router.get("/voices", response={200: VoicesOut, 401: Problem})
def voice_list(request: AuthedRequest) -> VoicesOut:
    """List the voices that a brief can name."""
    voices = Voice.objects.values("name", "description")
    return VoicesOut(items=[VoiceOut(**voice) for voice in voices])
