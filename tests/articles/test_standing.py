"""Verdicts follow the text: they stand where sentence and passages are unchanged, and nowhere else."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from django.contrib.auth.models import User

from agents.text.evidence import verdict_key
from agents.text.introduced import introduced_problem
from articles.evidence.standing import MOST_CHANGED, CheckedText, current_text, statements
from articles.models import Article, Evidence
from articles.services import save_text
from tests.articles.clients import client_of
from tests.browser import stages, step_outputs
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

LOAD = "A saturated bed weighs 95–180 kg per square metre, so ask a structural engineer before you ask a gardener."


@pytest.fixture
def article(writer: User) -> Article:
    return stages.finished(writer)


def states(text: CheckedText) -> dict[str, str]:
    """Opening of each sentence → its state."""
    return {sentence.plain[:16]: sentence.state for sentence in text.sentences}


def edited(article: Article, old: str, new: str) -> CheckedText:
    assert old in article.content
    return current_text(article, content=article.content.replace(old, new))


def test_the_text_as_it_was_checked(article: Article) -> None:
    assert states(current_text(article)) == {
        "Surveys of three": "supported",
        "What has changed": "partly",
        "A saturated bed ": "supported",
        "Most groups that": "supported",
        "Where one of the": "not",
    }
    assert all(sentence.stands for sentence in current_text(article).sentences)


def test_each_sentence_has_its_place_in_the_text(article: Article) -> None:
    for sentence in current_text(article).sentences:
        assert sentence.plain[:9] in article.content[sentence.start : sentence.end]


def test_moving_paragraphs_and_numbering_footnotes_anew_costs_nothing(article: Article) -> None:
    before = states(current_text(article))
    body, _, definitions = article.content.partition("\n\n[^1]:")
    blocks = body.split("\n\n")
    moved = "\n\n".join(reversed(blocks)) + f"\n\n[^1]:{definitions}"
    moved = moved.replace("[^1]", "[^survey]").replace("[^3]", "[^1]")
    assert states(current_text(article, content=moved)) == before


def test_emphasis_and_line_breaks_are_no_edits(article: Article) -> None:
    text = edited(article, LOAD, LOAD.replace("a structural engineer", "a *structural*\nengineer"))
    assert text.summary.edited == 0


def test_a_changed_digit_is_marked_by_code(article: Article) -> None:
    text = edited(article, "95–180 kg", "95–280 kg")
    changed = next(sentence for sentence in text.sentences if "280" in sentence.plain)
    assert (changed.state, changed.stands, changed.judged_by) == ("not", False, "code")
    assert changed.problem == "The number 280 does not appear in the passages it cites."
    assert text.summary.supported == 2


def test_another_word_makes_a_sentence_edited(article: Article) -> None:
    text = edited(article, "so ask a structural engineer", "so never ask a structural engineer")
    changed = next(sentence for sentence in text.sentences if "never" in sentence.plain)
    assert (changed.state, changed.judged_by, changed.problem) == ("edited", None, "")
    assert changed.check
    assert changed.check.row.sentence == LOAD


def test_another_citation_makes_a_sentence_edited(article: Article) -> None:
    text = edited(article, "costs them.[^1]", "costs them.[^3]")
    assert states(text)["What has changed"] == "edited"
    text = edited(article, "costs them.[^1]", "costs them.")
    assert states(text)["What has changed"] == "edited"


def test_a_sentence_that_refers_back_does_not_stand_behind_another_one(writer: User) -> None:
    article = stages.finished(writer, content="It fell by half.[^1]\n\n[^1]: City roofs surveyed.\n")
    [first] = step_outputs.reading().passages[:1]
    key = verdict_key("It fell by half.", [first])
    Evidence.objects.filter(number=1).update(sentence="It fell by half.", passages=[first.id], key=key)
    assert [sentence.stands for sentence in current_text(article).sentences] == [True]
    moved = current_text(article, content=f"Have a look at the rents.\n\n{article.content}")
    assert [sentence.stands for sentence in moved.sentences] == [False]


@pytest.mark.parametrize(
    ("added", "state", "problem"),
    [
        ("Some roofs carry hives.[^2]", "unchecked", ""),
        ("Some roofs carry 40 hives.[^2]", "not", "The number 40 does not appear in the passages it cites."),
        ("Three of 40 roofs carry hives.", "uncited", ""),
        ("At the surface, planted roofs were 11 °C cooler on the hottest days of July.[^2]", "supported", ""),
        ("Some roofs carry hives.[^9]", "unchecked", "The source it cites was not read."),
    ],
)
def test_new_sentences(article: Article, added: str, state: str, problem: str) -> None:
    text = current_text(article, content=f"{added}\n\n{article.content}")
    [new] = text.new
    assert (new.state, new.problem) == (state, problem)
    assert (text.summary.unchecked, text.summary.uncited) == (state == "unchecked", state == "uncited")


def test_a_sentence_that_says_nothing_to_check_is_not_listed(article: Article) -> None:
    assert not current_text(article, content=f"Have a look upwards.\n\n{article.content}").new


def test_what_the_crew_wrote_and_nobody_checked_is_not_new(writer: User) -> None:
    content = "Two of 8 make 25 %.\n\nIt rains.[^1] Roofs leak.[^1]\n\n[^1]: City roofs surveyed.\n"
    article = stages.finished(writer, content=content)
    assert current_text(article).sentences == []
    cited = current_text(article, content=content.replace("25 %.", "25 %.[^1]"))
    assert [(sentence.plain, sentence.state) for sentence in cited.sentences] == [("Two of 8 make 25 %.", "not")]
    first, second, definition = content.split("\n\n")
    assert current_text(article, content=f"{second}\n\n{first}\n\n{definition}").sentences == []


def test_a_text_of_which_much_is_new_is_compared_in_bounded_time(article: Article) -> None:
    added = "\n\n".join(f"Of {number} roofs {number + 2} leaked in Leeds.[^1]" for number in range(1000, 1400))
    text = current_text(article, content=f"{added}\n\n{article.content}")
    states_of_new = Counter(sentence.state for sentence in text.new)
    assert states_of_new == {"not": MOST_CHANGED, "unchecked": 400 - MOST_CHANGED}
    assert text.summary.supported == 3


def test_what_an_edit_brings_in_is_compared_with_the_passages() -> None:
    was, passages = "In May 2024 the bed in Leeds took 5 kg.", ["In May 2024 the bed in Leeds took 5 kg a day."]
    assert introduced_problem(was, was, passages) == ""
    assert "date" in introduced_problem("In June 2024 the bed in Leeds took 5 kg.", was, passages)
    assert "“5 g”" in introduced_problem("In May 2024 the bed in Leeds took 5 g.", was, passages)
    assert "“York”" in introduced_problem("In May 2024 the bed in York took 5 kg.", was, passages)
    assert introduced_problem("Im Mai 2024 trug das Beet in Leeds nur Erde.", was, passages, "de") == ""


# Random edits: what stands is exactly what the edits left alone

WORDS = ["never", "twice", "cooler", "older", "7", "1,300", "London", "nobody", "perhaps", "only"]


def random_edit(content: str, pick: random.Random) -> str:
    """Change a word, delete one, add a sentence, move a paragraph, or drop or exchange a footnote."""
    body, _, definitions = content.partition("\n\n[^1]:")
    blocks = body.split("\n\n")
    place = pick.randrange(len(blocks))
    words = blocks[place].split(" ")
    at = pick.randrange(len(words))
    match pick.randrange(6):
        case 0:
            words[at] = pick.choice(WORDS)
        case 1:
            del words[at]
        case 2:
            words.insert(at, pick.choice(WORDS))
        case 3:
            blocks.insert(pick.randrange(len(blocks)), blocks.pop(place))
            return "\n\n".join(blocks) + f"\n\n[^1]:{definitions}"
        case 4:
            words.append(f"A new line {pick.choice(WORDS)}.[^{pick.randint(1, 3)}]")
        case 5:
            marks = list(re.finditer(r"\[\^\d\]", body))
            if marks:
                mark = pick.choice(marks)
                new = pick.choice(["", "[^1]", "[^2]", "[^3]"])
                return body[: mark.start()] + new + body[mark.end() :] + f"\n\n[^1]:{definitions}"
    blocks[place] = " ".join(words)
    return "\n\n".join(blocks) + f"\n\n[^1]:{definitions}"


def claims(content: str) -> set[tuple[str, frozenset[str]]]:
    """Words and footnotes of each sentence, by other means than the code tested: letters and digits only."""
    return {
        ("".join(re.findall(r"\w+", sentence.plain)).lower(), frozenset(sentence.labels))
        for sentence in statements("", content)
    }


@pytest.mark.parametrize("seed", range(4))
def test_after_random_edits_exactly_the_unchanged_sentences_stand(article: Article, seed: int) -> None:
    pick = random.Random(seed)
    checked = {
        ("".join(re.findall(r"\w+", sentence.plain)).lower(), frozenset(sentence.labels))
        for sentence in current_text(article).sentences
    }
    content = article.content
    for number in range(50):
        content = random_edit(article.content if number % 5 == 0 else content, pick)
        text = current_text(article, content=content)
        standing = {
            ("".join(re.findall(r"\w+", sentence.plain)).lower(), frozenset(sentence.labels))
            for sentence in text.sentences
            if sentence.stands
        }
        assert standing == checked & claims(content), content
        judged = [each for each in text.sentences if each.state in ("supported", "partly")]
        assert all(each.stands or each.judged_by == "code" for each in judged)


# The API and the page


def test_an_unsaved_text_is_compared_without_being_saved(article: Article, writer: User) -> None:
    content = article.content.replace("95–180 kg", "95–280 kg")
    answer = client_of(writer).post(
        f"/api/articles/{article.pk}/evidence", {"content": content}, content_type="application/json"
    )
    assert answer.status_code == 200, answer.content
    data = answer.json()
    assert data["summary"] == {
        "sentences": 5, "supported": 2, "partly": 1, "unsupported": 2, "reworded": 0, "edited": 0, "unchecked": 0, "uncited": 0
    }  # fmt: skip
    changed = next(sentence for sentence in data["sentences"] if "280" in sentence["sentence"])
    assert content[changed["start"] : changed["end"]].startswith("A saturated bed weighs 95–280 kg")
    assert (changed["state"], changed["judged_by"], changed["check"], changed["labels"]) == ("not", "code", 3, ["2"])
    assert changed["passages"][0]["id"] == "S4"
    article.refresh_from_db()
    assert "280" not in article.content


def test_another_users_text_is_not_found(writer: User) -> None:
    other = stages.finished(UserFactory.create())
    answer = client_of(writer).post(
        f"/api/articles/{other.pk}/evidence", {"content": "x"}, content_type="application/json"
    )
    assert answer.status_code == 404


def test_the_saved_text_and_its_result_say_the_same(article: Article, writer: User) -> None:
    content = article.content.replace("95–180 kg", "95–280 kg").replace("Flat roofs are", "All 40 roofs are")
    save_text(article=article, by=writer, title=article.title, content=content, opened_at=1)
    client = client_of(writer)
    saved = client.get(f"/api/articles/{article.pk}/evidence").json()
    unsaved = client.post(
        f"/api/articles/{article.pk}/evidence", {"content": content}, content_type="application/json"
    ).json()
    assert saved["summary"] == unsaved["summary"] == client.get(f"/api/articles/{article.pk}/result").json()["evidence"]
    assert saved["sentences"] == unsaved["sentences"]
    assert saved["summary"]["uncited"] == 1
    assert [item["stands"] for item in saved["items"]] == [True, True, False, False, True, True]


def test_the_page_shows_what_was_edited(article: Article, writer: User) -> None:
    content = article.content.replace("so ask a structural", "so never ask a structural")
    save_text(article=article, by=writer, title=article.title, content=content, opened_at=1)
    client = client_of(writer)
    client.force_login(writer)
    shown = client.get(article.get_absolute_url()).content.decode()
    assert "2 of 5 cited sentences supported" in shown
    assert '<a class="evidence-link is-edited" id="a-ev2-1"' in shown
    panel = client.get(f"{article.get_absolute_url()}evidence/").content.decode()
    row = " ".join(panel.partition('id="evidence-2-1"')[2].partition("</article>")[0].split())
    assert "Edited since the check" in row
    assert "<ins>never</ins>" in row
    removed = panel.partition('id="evidence-3-1"')[2].partition("</article>")[0]
    assert "No longer in the text" in removed
