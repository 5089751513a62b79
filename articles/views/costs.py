"""What an article will cost, told while its brief is being written."""

from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.contract import MAX_WORDS, MIN_WORDS
from agents.costs.estimate import Estimate, estimate
from articles.runs.agent_settings import models_for
from articles.views.requests import StudioRequest


class EstimateForm(forms.Form):
    """What of a brief decides its cost, by the names it has in the brief."""

    min_words = forms.IntegerField(min_value=MIN_WORDS, max_value=MAX_WORDS)
    include_image = forms.BooleanField(required=False)
    seo_optimize = forms.BooleanField(required=False)


def estimate_for(brief: forms.Form) -> Estimate | None:
    """The estimate for a brief as it is filled in; None where its length is not one yet."""
    form = EstimateForm({name: brief[name].value() for name in EstimateForm.base_fields})
    if not form.is_valid():
        return None
    asked = form.cleaned_data
    return estimate(asked["min_words"], image=asked["include_image"], seo=asked["seo_optimize"], models=models_for())


@require_safe
@login_required
def brief_estimate(request: StudioRequest) -> HttpResponse:
    """The sentence about the cost alone, asked for by HTMX as the brief changes."""
    return render(request, "articles/_estimate_text.html", {"estimate": estimate_for(EstimateForm(request.GET))})
