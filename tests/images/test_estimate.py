"""What an estimate says: bytes, what deduplication loses, and the words of each stop."""

from dataclasses import replace

import pytest

from kataui.images.estimate import STOPS, Strength, estimate
from kataui.images.piles import Pile, PileLayer, read_pile
from kataui.images.speed import Speed, measure_speed
from kataui.progress import Control
from tests.images.builders import tar_bytes, tiny_layout

SPEED = Speed(100.0, 50.0, 0.2)


def _pile(name: str, *, known: bool = True, own: str = "own") -> Pile:
    layers = tuple(
        PileLayer(number, text, text, 100, 300, base=number == 0, encrypted=False)
        for number, text in enumerate(("base", own))
    )
    return Pile(
        name, name, f"sha256:{name}", "linux/amd64", layers, known, base_guessed=False, base_how=""
    )


def test_a_base_that_two_images_share_is_kept_twice_when_it_is_encrypted() -> None:
    piles = [_pile("a", own="a"), _pile("b", own="b")]
    lost = {
        stop: estimate(piles, stop, signed=True, speed=SPEED, nodes=50).node_bytes for stop in STOPS
    }
    assert lost == {Strength.NOTHING: 0, Strength.ABOVE_BASE: 0, Strength.EVERYTHING: 100}


def test_the_figures_follow_from_sizes_and_speed() -> None:
    found = estimate([_pile("a")], Strength.ABOVE_BASE, signed=True, speed=SPEED)
    assert (found.encrypted_bytes, found.total_bytes) == (100, 200)
    assert found.took_s == pytest.approx(100 / 100 + 100 / 50)
    assert found.memory_bytes == 600
    assert found.selected == (frozenset({1}),)


def test_partly_encrypted_images_are_refused_by_one_platform() -> None:
    part = estimate([_pile("a")], Strength.ABOVE_BASE, signed=True, speed=SPEED)
    whole = estimate([_pile("a")], Strength.EVERYTHING, signed=True, speed=SPEED)
    opens = [{one.name: one.opens for one in found.targets} for found in (part, whole)]
    assert [one["EKS sandbox"] for one in opens] == [False, True]


@pytest.mark.parametrize(
    ("stop", "signed", "verdict"),
    [
        *((stop, False, "fail") for stop in STOPS),
        (Strength.NOTHING, True, "fail"),
        (Strength.ABOVE_BASE, True, "warning"),
        (Strength.EVERYTHING, True, "pass"),
    ],
)
def test_only_all_and_signed_passes(stop, signed, verdict) -> None:
    assert estimate([_pile("a")], stop, signed=signed, speed=SPEED).verdict == verdict


def test_what_is_encrypted_already_is_not_called_readable() -> None:
    shut = replace(_pile("a"), layers=tuple(replace(x, encrypted=True) for x in _pile("a").layers))
    both = estimate([shut, _pile("b", own="b")], Strength.NOTHING, signed=True, speed=SPEED)
    assert both.sentence == "Anybody can read b; the rest is encrypted."
    alone = estimate([shut], Strength.NOTHING, signed=True, speed=SPEED)
    assert (alone.verdict, alone.took_s) == ("pass", 0)


def test_without_a_known_base_everything_is_encrypted() -> None:
    found = estimate([_pile("a", known=False)], Strength.ABOVE_BASE, signed=True, speed=SPEED)
    assert found.selected == (frozenset({0, 1}),)


def test_the_speed_of_this_computer_is_measured() -> None:
    speed = measure_speed(Control())
    assert speed.encrypt_bytes_per_s > 0 < speed.open_bytes_per_s


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
def test_the_unpacked_size_is_read_from_the_layer_itself(tmp_path, how) -> None:
    plain = tar_bytes({"a": b"a" * 100_000})
    tiny_layout(tmp_path / "image", layers=[plain], compression=how)
    (layer,) = read_pile(str(tmp_path / "image"), Control()).layers
    assert layer.unpacked_bytes == len(plain)
    assert not layer.size_guessed
