"""The help's texts: whole, linked, and found by their words."""

import re

import pytest

from kataui.helptexts import search, topic, topics

LINK = re.compile(r"\]\(([^)]*)\)")


@pytest.mark.parametrize("one", topics(), ids=lambda one: one.address)
def test_each_text_begins_with_one_sentence_and_its_links_lead_somewhere(one) -> None:
    assert one.title
    assert one.summary.endswith((".", "?"))
    assert len(one.summary) <= 160
    for address in LINK.findall(one.text):
        assert topic(address) is not None, address


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
