"""The search description: its limits, its keyword and its language, each corrected once."""

from __future__ import annotations

import json

from agents.contract import SEO, Outline, OutlineSection
from agents.crew.crew import StudioCrew
from agents.pipeline.context import RunContext
from agents.pipeline.seo import describe
from tests import prompts
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies
from tests.model_server import ModelServer

DESCRIBE, AGAIN, ASK = (
    prompts.DESCRIBE,
    prompts.DESCRIBE_AGAIN,
    prompts.ASK,
)
OUTLINE = Outline(
    title="Rooftop gardens: what the evidence says",
    sections=[OutlineSection(heading="What roofs hold"), OutlineSection(heading="Who pays for the soil")],
)
TEXTS = ["Roofs hold the rain of a summer night.", "Whoever lives below pays for the soil."]
GOOD = {
    "title": "What rooftop gardens do for a hot city",
    "meta_description": "How much cooler rooftop gardens keep the rooms below them in summer, what they weigh when they are wet, "
    "and what to ask an engineer first.",
    "slug": "rooftop-gardens-hot-city",
    "keywords": ["rooftop gardens", "green roofs."],
}
VIETNAMESE = {
    "title": "Vườn trên mái nhà giúp gì cho thành phố nóng bức",
    "meta_description": "Vườn trên mái nhà giữ cho các căn phòng bên dưới mát hơn bao nhiêu vào mùa hè, nặng bao nhiêu khi ướt, "
    "và cần hỏi kỹ sư điều gì trước.",
}
QUESTION = {
    "question": "How much cooler is a planted roof in summer?",
    "answer": "Several degrees in July, as was measured.",
}
TWO = [QUESTION, {"question": "What does it weigh when it is wet?", "answer": "As much as a small car does."}]


async def described(crew: StudioCrew, server: ModelServer, language: str = "en", **changed: object) -> SEO:
    """What is made of the good description with some fields ``changed``."""
    server.fail(match=DESCRIBE, text=json.dumps(GOOD | changed))
    context = RunContext(BRIEF.model_copy(update={"language": language}), MemoryJournal(), dependencies(crew))
    seo = await describe(context, OUTLINE, TEXTS)
    assert seo
    return seo


def asked_again(server: ModelServer) -> set[str]:
    """The fields that the one repair asked for."""
    (call,) = [call for call in server.calls if AGAIN in call.prompt]
    return set(call.body["response_format"]["json_schema"]["schema"]["properties"])


async def test_a_good_description_is_left_as_it_is(crew: StudioCrew, model_server: ModelServer) -> None:
    seo = await described(crew, model_server)
    assert seo.title == GOOD["title"]
    assert seo.keywords == ["rooftop gardens", "green roofs"], "a keyword is no sentence"
    assert not model_server.prompts(AGAIN)


async def test_what_does_not_hold_the_first_keyword_is_put_right(crew: StudioCrew, model_server: ModelServer) -> None:
    title = "What planted roofs can do for a hot city"
    model_server.fail(match=AGAIN, text=json.dumps({"title": GOOD["title"], "slug": GOOD["slug"]}))
    seo = await described(crew, model_server, title=title, slug="planted-roofs-hot-city")
    assert asked_again(model_server) == {"title", "slug"}
    assert "The slug does not mention the first keyword, “rooftop gardens”." in model_server.prompts(AGAIN)[0]
    assert (seo.title, seo.slug) == (GOOD["title"], GOOD["slug"])


async def test_a_slug_mentions_a_keyword_without_its_accents(crew: StudioCrew, model_server: ModelServer) -> None:
    own = {"slug": "vuon-tren-mai-nha", "keywords": ["vườn trên mái nhà"]}
    await described(crew, model_server, "vi", **VIETNAMESE | own)
    assert not model_server.prompts(AGAIN)


async def test_title_and_description_in_another_language_are_put_right(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    model_server.fail(match=AGAIN, text=json.dumps(VIETNAMESE))
    seo = await described(crew, model_server, "vi")
    assert asked_again(model_server) == {"title", "meta_description"}
    assert seo.title == VIETNAMESE["title"]


async def test_questions_in_another_language_are_asked_for_once_more(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    own = {
        "question": "Mái nhà trồng cây mát hơn bao nhiêu vào mùa hè?",
        "answer": "Mát hơn vài độ vào tháng bảy, theo số đo.",
    }
    for faq in (TWO, [own]):
        model_server.fail(match=ASK, text=json.dumps({"faq": faq}))
    seo = await described(crew, model_server, "vi", **VIETNAMESE, slug="vuon-tren-mai-nha", keywords=["vườn"])
    assert [each.question for each in seo.faq] == [own["question"]]
    assert "were not in Vietnamese (vi)" in model_server.prompts(ASK)[1]


async def test_questions_that_stay_in_another_language_are_left_out(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    model_server.fail(match=ASK, text=json.dumps({"faq": TWO}), times=9)
    assert (await described(crew, model_server, "vi", **VIETNAMESE)).faq == []
    assert len(model_server.prompts(ASK)) == 2
