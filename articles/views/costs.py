"""The estimated cost of a brief while it is being filled in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.contract import MAX_WORDS, MIN_WORDS
from agents.costs.estimate import Estimate, estimate
from articles.pages.spending import SpendingView
from articles.runs.agent_settings import models_for
from articles.views.requests import StudioRequest, find_article


class EstimateForm(forms.Form):
    """The fields of a brief that decide its cost, by their names in the brief."""

    min_words = forms.IntegerField(min_value=MIN_WORDS, max_value=MAX_WORDS)
    include_image = forms.BooleanField(required=False)
    seo_optimize = forms.BooleanField(required=False)
    approve_outline = forms.BooleanField(required=False)


def estimate_for(brief: forms.Form) -> Estimate | None:
    """The estimate for a brief as it is filled in; None while its number of words is invalid."""
    form = EstimateForm({name: brief[name].value() for name in EstimateForm.base_fields})
    if not form.is_valid():
        return None
    asked = form.cleaned_data
    return estimate(
        asked["min_words"],
        image=asked["include_image"],
        seo=asked["seo_optimize"],
        models=models_for(),
        approval=asked["approve_outline"],
    )


@require_safe
@login_required
def brief_estimate(request: StudioRequest) -> HttpResponse:
    """The estimate, requested by HTMX as the brief changes. ``?article=`` is the article that is written again."""
    pk = request.GET.get("article", "")
    owner = find_article(request, int(pk)).owner if pk.isdecimal() and len(pk) < 19 else request.user
    return render(request, "articles/_estimate_text.html", cost_context(EstimateForm(request.GET), owner, request.user))


def cost_context(brief: forms.Form, owner: User, reader: User) -> dict[str, Any]:
    """What ``_estimate_text.html`` shows: the estimate beside the owner's spending and limits."""
    estimated, spending = estimate_for(brief), SpendingView.of(owner, reader)
    return {"estimate": estimated, "spending": spending, "spending_warning": spending.warning(estimated)}
