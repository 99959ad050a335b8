"""Shares of words (SLIP-39)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.errors import KeyProblem
from kataui.images.keysplit import Share, Split, combine, parse_split, read_shares, split_secret

# satoshilabs/slips, slip-0039/vectors.json: "Basic sharing 2-of-3 (128 bits)"
VECTOR = """\
shadow pistol academic always adequate wildlife fancy gross oasis cylinder
mustang wrist rescue view short owner flip making coding armed

shadow pistol academic acid actress prayer class unknown daughter sweater
depict flip twice unkind craft early superior advocate guest smoking
"""


def shares(texts) -> list[Share]:
    return [Share(str(number), tuple(text)) for number, text in enumerate(texts)]


@st.composite
def splits(draw):
    count = draw(st.integers(2, 16))
    threshold = draw(st.integers(2, count))
    chosen = draw(st.permutations(range(count)))
    secret = draw(
        st.sampled_from([16, 32, 36]).flatmap(lambda n: st.binary(min_size=n, max_size=n))
    )
    return Split(threshold, count), chosen, secret


@settings(max_examples=25, deadline=None)
@given(splits())
def test_any_k_of_n_restore_the_secret_and_fewer_do_not(case):
    split, chosen, secret = case
    made = split_secret(secret, split)
    enough = [made[number] for number in chosen[: split.threshold]]

    assert len(made) == split.count
    assert combine(shares(enough)) == secret
    assert combine(shares(made)) == secret  # more do no harm
    with pytest.raises(KeyProblem, match=f"of the {split.threshold} shares"):
        combine(shares(enough[:-1]))


def test_shares_of_others_are_read_and_counted():
    read = read_shares(VECTOR, "card")

    assert [share.name for share in read] == ["card (1)", "card (2)"]
    assert len(combine(read)) == 16
    with pytest.raises(KeyProblem, match="1 of the 2 shares that are needed is here"):
        combine(read[:1])


def test_no_two_splits_of_one_secret_are_alike():
    one, two = (split_secret(bytes(32), Split(2, 3)) for _ in range(2))

    assert not set(one) & set(two)


@pytest.mark.parametrize("text", ["3/5", " 3 / 5 ", "2/2", "16/16", "2/16"])
def test_a_split_is_read(text):
    split = parse_split(text)

    assert split.text == text.replace(" ", "")


@pytest.mark.parametrize(
    "text", ["", "3", "3/", "/5", "5/3", "1/1", "1/5", "0/0", "2/17", "-2/3", "a/b", "3/5/7", "²/3"]
)
def test_a_split_that_cannot_be_is_refused(text):
    with pytest.raises(KeyProblem):
        parse_split(text)
