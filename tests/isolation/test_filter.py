"""The filter of the list of sandboxes."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataui.errors import KatauiError
from kataui.isolation.filter import FilterProblem, matches, parse


@dataclass(frozen=True, slots=True)
class Row:
    name: str = "shop/checkout-6d9f"
    grade: str = "D"
    score: float | None = 34.0
    waits: float | None = 0.31
    because: str = "ci/runner-8f2c, vhost"
    because_role: str = "vhost"
    coverage: float = 0.64


UNKNOWN = Row(name="data/cache-1", grade="", score=None, waits=None, because="", because_role="")
QUIET = Row(
    name="web/edge-1", grade="A", score=90.0, waits=0.01, because="", because_role="", coverage=1.0
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "checkout",
        "SHOP 6d9f",
        "grade < C",
        "grade<c",
        "grade <= D",
        "grade = D",
        "grade:d",
        "score < 50",
        "score = 34",
        "waits > 5",
        "waits>=30%",
        "waits = 31 %",
        "waits > 30,5",
        "coverage < 65",
        "because:vhost",
        "because:RUNNER",
        "name:shop",
        'name:"shop/check"',
        '"checkout"',
        "name:shop and waits > 5",
        "nothing or checkout",
        "not nothing",
        "not not shop",
        "NOT nothing",
        "nothing waits > 5 or shop grade:D",
        "score",
    ],
)
def test_a_filter_that_fits_lets_a_row_through(text: str) -> None:
    name = "score shop/checkout-6d9f" if text == "score" else Row().name

    assert matches(parse(text), Row(name=name))


@pytest.mark.parametrize(
    "text",
    [
        "ledger",
        "shop ledger",
        "grade > C",
        "grade >= C",
        "grade:A",
        "score > 34",
        "waits < 31",
        "waits = 30",
        "because:virtiofsd",
        "name:runner",
        "not shop",
        "not not ledger",
        "shop not because:vhost",
        "ledger or grade:A",
        '"or"',
    ],
)
def test_a_filter_that_does_not_fit_keeps_a_row_out(text: str) -> None:
    assert not matches(parse(text), Row())


def test_or_binds_weaker_than_terms_beside_one_another() -> None:
    wanted = parse("web grade:A or data")

    assert [matches(wanted, row) for row in (QUIET, UNKNOWN, Row())] == [True, True, False]


def test_a_worse_grade_is_a_lower_one() -> None:
    wanted = parse("grade < C")

    assert [grade for grade in "ABCDE" if matches(wanted, Row(grade=grade))] == ["D", "E"]


@pytest.mark.parametrize("text", ["grade < A", "score < 100", "score >= 0", "waits < 100"])
def test_what_was_not_measured_fulfils_no_comparison(text: str) -> None:
    assert not matches(parse(text), UNKNOWN)


def test_the_role_of_the_culprit_is_found_too() -> None:
    assert matches(parse("because:softirq"), Row(because="kata-07", because_role="softirq"))


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("grade <", 7, "Something is missing after “grade <”."),
        ("grade < F", 8, "A grade is a letter from A to E, not “F”."),
        ("grade < 5", 8, "from A to E"),
        ("waits > much", 8, "waits needs a number, not “much”."),
        ("score < -5", 8, "needs a number"),
        ("waits > nan", 8, "needs a number"),
        ("waits > 1e9", 8, "needs a number"),
        ("waits > > 5", 8, "missing after “waits >”"),
        ("colour:red", 0, "“colour” is no field"),
        ("shop colour = red", 5, "“colour” is no field"),
        ("< 5", 0, "needs a field before it"),
        ("or shop", 0, "missing before “or”"),
        ("shop or", 7, "missing after “or”"),
        ("shop or or ledger", 8, "missing before “or”"),
        ("shop and or ledger", 9, "missing after “and”"),
        ("shop and", 8, "missing after “and”"),
        ("shop not", 8, "missing after “not”"),
        ("not or shop", 4, "missing after “not”"),
        ("because:", 8, "missing after “because :”"),
        ("name < shop", 5, "write name:text"),
        ('name:"shop', 5, "second quotation mark"),
        ('"shop', 0, "second quotation mark"),
        ("grade < ", 8, "missing"),
    ],
)
def test_what_cannot_be_understood_is_said_with_its_place(
    text: str, position: int, words: str
) -> None:
    with pytest.raises(FilterProblem) as caught:
        parse(text)

    assert words in caught.value.message
    assert caught.value.position == position
    assert isinstance(caught.value, KatauiError)
    assert "grade < C" in caught.value.hint


def test_the_problem_shows_no_control_characters() -> None:
    with pytest.raises(FilterProblem) as caught:
        parse("waits > \x1b[31m\u202e")

    assert "\x1b" not in caught.value.message
    assert "\u202e" not in caught.value.message


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            PIECES := [
                "grade",
                "<",
                "C",
                "or",
                "not",
                "and",
                "waits",
                ":",
                '"',
                "5",
                "%",
                "shop",
                "=",
                ">=",
            ]
        ),
        max_size=8,
    ).map(" ".join)
)
def test_any_text_is_understood_or_refused_with_a_place_in_it(text: str) -> None:
    problem = None
    try:
        wanted = parse(text)
    except FilterProblem as found:
        problem = found
    else:
        matches(wanted, Row())

    assert problem is None or 0 <= problem.position <= len(text)
    assert problem is None or problem.message.endswith(".")
