"""The help's texts: whole, linked, and found by their words."""

import re

import pytest

from kataui.helptexts import search, topic, topics
from kataui.ui.words import LANGUAGES

LINK = re.compile(r"\]\(([^)]*)\)")


@pytest.mark.parametrize(
    ("language", "one"),
    [(language, one) for language in LANGUAGES for one in topics(language)],
    ids=lambda one: getattr(one, "address", one),
)
def test_each_text_begins_with_one_sentence_and_its_links_lead_somewhere(language, one) -> None:
    assert one.title
    assert one.summary.endswith((".", "?"))
    assert len(one.summary) <= 160
    english = topic(one.address)
    assert english is not None
    assert sorted(LINK.findall(one.text)) == sorted(LINK.findall(english.text))
    for address in LINK.findall(one.text):
        assert topic(address, language) is not None, address


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_each_topic(language) -> None:
    assert {one.address for one in topics(language)} == {one.address for one in topics()}
    if language != "en":
        same = [one.address for one in topics(language) if topic(one.address) == one]
        assert same == [], "a text that is still in English"


def test_every_page_is_reached_by_a_link_or_by_its_screen() -> None:
    from kataui.ui.help import topics as screens

    named = {*screens._BY_KEY.values(), *screens._BY_KIND.values(), "demo", "abcompare"}
    assert {one.name for one in topics() if one.kind == "page"} == named


def test_titles_count_more_than_texts_and_beginnings_are_enough() -> None:
    assert search("digest")[0].address == "term:digest"
    assert search("sidec")[0].address == "term:sidecar"
    assert "page:podcompare" in {one.address for one in search("pushed lock")}
    assert search("DIGÉST") == search("digest")
    assert search("") == topics()
    assert search("xylophone") == ()
