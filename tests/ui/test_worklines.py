"""Where the work stands, told from real progress reports; several images; commands in lines."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from kataui.errors import Cancelled, ImageError
from kataui.images.look import look
from kataui.progress import Control, Progress
from kataui.ui.commandtext import broken, script
from kataui.ui.images.flow import Flow
from kataui.ui.images.worklines import plan, protect_all
from tests.images.builders import tiny_layout
from tests.images.protecting import answers


@pytest.fixture
def flow(tmp_path, keys) -> Flow:
    """Two images of three layers each; the base, one layer, stays readable."""
    sources = tuple(str(tiny_layout(tmp_path / name)) for name in ("one", "two"))
    looks = tuple(look(source, Control()) for source in sources)
    asked = answers(sources[0], tmp_path / "out", keys, layers="above-base", base="1")
    return Flow(answers=asked, sources=sources, looks=looks)


def run(flow: Flow) -> tuple[list[Progress], list]:
    seen: list[Progress] = []
    control = Control(seen.append, interval_s=0)
    return seen, protect_all(flow.each(), secrets(flow), control)


def secrets(flow: Flow) -> dict[str, str]:
    return {f"Passphrase of {Path(flow.answers.sign_key).name}": ""}


def test_every_layer_of_every_image_is_shown_and_the_whole_only_grows(flow):
    seen, outcomes = run(flow)
    work = plan(flow)
    places = [(report, work.place(report)) for report in seen if " layer " in report.step]
    assert all(place is not None for _, place in places)
    whole = [work.whole(report, place).done_bytes for report, place in places]

    assert whole == sorted(whole)
    assert whole[-1] == work.whole(*places[-1]).total_bytes
    assert {(p.image, p.layer, p.checking) for _, p in places} == {
        (image, layer, checking)
        for image in (0, 1)
        for layer in (0, 1, 2)
        for checking in (False, True)
    }
    assert all(outcome.done for outcome in outcomes)


def test_layers_say_how_far_they_are(flow):
    work = plan(flow)
    report = Progress("Image 2 of 2: Encrypting layer 2 of 3", 5, 700)
    place = work.place(report)
    rows = work.rows(place)

    assert rows[0].state.endswith("copied")
    assert not rows[0].encrypted
    assert rows[1].state.startswith("5 B of ")
    assert rows[1].now
    assert rows[2].state.endswith("waits")
    done = work.rows(work.place(Progress("Image 2 of 2: Checking layer 3 of 3", 5, 700)))
    assert [row.encrypted for row in done] == [False, True, True]


def test_steps_that_are_no_layer_of_the_plan_are_left_alone(flow):
    work = plan(flow)

    assert work.place(Progress("Signing digest 1 of 1", 0, 0)) is None
    assert work.place(Progress("Encrypting layer 1 of 9", 0, 0)) is None
    assert work.place(Progress("Image 7 of 9: Encrypting layer 1 of 3", 0, 0)) is None


def test_one_image_that_fails_does_not_lose_the_others(flow, tmp_path):
    first, second = flow.each()
    broken_one = replace(first, source=str(tmp_path / "nothing"))

    outcomes = protect_all((broken_one, second), secrets(flow), Control())

    assert outcomes[0].done is None
    assert outcomes[0].error is not None
    assert outcomes[1].done is not None
    assert Path(second.destination).is_dir()


def test_a_single_image_that_fails_raises_its_reason(flow, tmp_path):
    asked = replace(flow.each()[0], source=str(tmp_path / "nothing"))

    with pytest.raises(ImageError):
        protect_all((asked,), secrets(flow), Control())


def test_cancelling_keeps_what_was_finished_and_stops_there(flow):
    def stop(report: Progress) -> None:
        if report.step.startswith("Image 2"):
            control.cancel()

    control = Control(stop, interval_s=0)
    outcomes = protect_all(flow.each(), secrets(flow), control)

    assert outcomes[0].done is not None
    assert isinstance(outcomes[1].error, Cancelled)
    assert not Path(flow.each()[1].destination).exists()


def test_cancelling_before_anything_is_finished_is_a_cancel(flow):
    control = Control()
    control.cancel()

    with pytest.raises(Cancelled):
        protect_all(flow.each(), secrets(flow), control)


def shell_words(text: str) -> list[str]:
    done = subprocess.run(
        ["sh", "-c", f"kataui() {{ printf '%s\\n' \"$@\"; }}\n{text}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_shell_reads_broken_commands_as_they_were(tmp_path):
    words = ["image", "protect", "a b/c", "it's", "--key", "k$HOME", "--force", "--layers", "0,-1"]
    words += [f"--recipient=jwe:{'x' * 40}{number}.pub" for number in range(4)]

    text = broken([shlex.join(["kataui", *words])])

    assert shell_words(text) == words
    assert len(text.splitlines()) > 3
    assert script(text).startswith("#!/bin/sh\n")
