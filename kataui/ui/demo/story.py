"""The talk: ten minutes, a sentence a chapter, along the working group's three use cases."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QSlider, QWidget

from kataui.ui.demo.scratch import IDENTITY
from kataui.ui.demo.stage import Stage
from kataui.ui.images.flow import Step
from kataui.ui.images.wizard import ProtectWizard
from kataui.ui.pods.comparepage import ComparePage
from kataui.ui.pods.containertable import ContainerTable
from kataui.ui.pods.strengthcard import StrengthCard
from kataui.ui.presenter import Chapter
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.window import HOME

INCIDENT = "two-vcpus-on-one-cpu"
# Moments of that recording, in seconds: both vCPUs get to one CPU, and apart again
_TOGETHER_S, _SEEN_S, _APART_S = 46, 100, 116
_MATRIX, _COMPARE = 1, 3
Act = Callable[[Stage], Iterator[None]]
Focus = Callable[[Stage], QWidget | None]


@dataclass(frozen=True, slots=True)
class _Part:
    """A chapter for any stage; its act begins from any state."""

    caption: str
    act: Act
    focus: Focus = lambda _stage: None


def _home(stage: Stage) -> Iterator[None]:
    stage.window.go(HOME)
    yield


def _plain_image(stage: Stage) -> Iterator[None]:
    stage.open_image(stage.scratch.source)
    yield


def _layers(stage: Stage) -> Iterator[None]:
    wizard = yield from _wizard(stage)
    wizard.flow = replace(wizard.flow, answers=replace(wizard.flow.answers, layers="above-base"))
    wizard.go(Step.LAYERS)
    yield


def _proof(stage: Stage) -> Iterator[None]:
    """Encrypts and proves for real, into a new folder each time."""
    wizard = yield from _wizard(stage)
    scratch = stage.scratch
    wizard.flow = replace(
        wizard.flow,
        answers=replace(
            wizard.flow.answers,
            layers="all",
            recipients=(scratch.keys.recipient_spec,),
            sign_key=str(scratch.keys.sign_key),
            identity=IDENTITY,
            destination=str(_free(scratch.folder / "checkout-again")),
            keys=(str(scratch.keys.private_key),),
        ),
    )
    wizard.run({f"Passphrase of {scratch.keys.sign_key.name}": ""})
    yield


def _wizard(stage: Stage) -> Generator[None, None, ProtectWizard]:
    """The wizard with the sample image opened; begun once, and gone on with."""
    for page in stage.window.findChildren(ProtectWizard):
        if page.flow.looks:
            stage.window.go(stage.window.key_of(page))
            return page
    stage.images.start_protect((f"oci:{stage.scratch.source}",))
    wizard: ProtectWizard = stage.page
    wizard.go_on()
    yield
    return wizard


def _free(path: Path) -> Path:
    number = 1
    while path.with_name(f"{path.name}-{number}").exists():
        number += 1
    return path.with_name(f"{path.name}-{number}")


def _live_pod(stage: Stage) -> Iterator[None]:
    stage.open_pod(stage.scratch.live)
    yield


def _against_lock(stage: Stage) -> Iterator[None]:
    page = stage.images.open_tool("podcompare")
    if isinstance(page, ComparePage):
        page.fill(str(stage.scratch.lock), str(stage.scratch.public_key))
        page.file.set_text(str(stage.scratch.live))
        page.start()
    yield


def _slider(stage: Stage) -> Iterator[None]:
    stage.open_pod(stage.scratch.manifest)
    yield
    sliders = stage.page.findChildren(QSlider)
    if sliders:
        sliders[0].setValue(1)
    yield


def _pipeline(stage: Stage) -> Iterator[None]:
    stage.open_form()
    yield


def _recording(stage: Stage) -> Iterator[None]:
    stage.open_recording(INCIDENT)
    yield
    stage.seek(_SEEN_S)
    stage.page.tabs.setCurrentIndex(0)
    yield


def _view(number: int) -> Act:
    def act(stage: Stage) -> Iterator[None]:
        yield from _recording(stage)
        stage.page.tabs.setCurrentIndex(number)
        yield

    return act


def _fix(stage: Stage) -> Iterator[None]:
    yield from _recording(stage)
    stage.page.show_fix()
    yield


def _measured(stage: Stage) -> Iterator[None]:
    yield from _recording(stage)
    page = stage.page
    if not any(marker.name == "B" for marker in page.deck.markers):
        for name, moment_s in (("A", _TOGETHER_S), ("B", _APART_S)):
            stage.seek(moment_s)
            yield
            page.deck.mark(name)
    page.tabs.setCurrentIndex(_COMPARE)
    page.compare.start.click()
    yield


def _first(kind: type[QWidget]) -> Focus:
    return lambda stage: stage.page.findChild(kind)


_PARTS = (
    _Part(
        "Kata runs each pod in a virtual machine of its own. Three questions are left: is it what I"
        " want to run, how do I ship it, and who hurts it?",
        _home,
    ),
    _Part(
        "A plain image: whoever gets it reads every layer, and the key that was left inside.",
        _plain_image,
        _first(VerdictBanner),
    ),
    _Part(
        "Encrypt everything, or what is above the base. The base stays readable then, and a back"
        " door in it goes unnoticed: you decide, and you see it.",
        _layers,
    ),
    _Part(
        "Encrypted, signed, and proved: what was written was opened again, decrypted and compared"
        " before anything was called done.",
        _proof,
        _first(VerdictBanner),
    ),
    _Part(
        "A pod is more than one image. What the team runs is pinned, encrypted and signed, sidecar"
        " too. Then somebody pushed a container in.",
        _live_pod,
        _first(ContainerTable),
    ),
    _Part(
        "The lock says exactly what runs. Held against the running pod, it names the intruder.",
        _against_lock,
        _first(VerdictBanner),
    ),
    _Part(
        "How much to encrypt has a price in time, disk, memory and density. One handle shows it.",
        _slider,
        _first(StrengthCard),
    ),
    _Part(
        "The same image in a pipeline: build, encrypt, prove, sign, and a key that only an attested"
        " guest gets.",
        _pipeline,
    ),
    _Part(
        "On the host two sandboxes had a CPU each, until both were pinned to the same one. Recorded"
        " for real: who waits, and for whom?",
        _recording,
        _first(VerdictBanner),
    ),
    _Part("Victim by culprit, with the evidence and how sure it is.", _view(_MATRIX)),
    _Part("What to change, why, and how to go back.", _fix),
    _Part(
        "Changed, and measured: A with both on one CPU, B with a CPU each again.",
        _measured,
        _first(VerdictBanner),
    ),
    _Part(
        "All of it works on your own machine: no network, no cluster, no rights. And each act is a"
        " command, too.",
        _home,
    ),
)


def chapters(stage: Stage) -> list[Chapter]:
    """The talk, on a stage."""
    return [
        Chapter(part.caption, partial(part.act, stage), partial(part.focus, stage))
        for part in _PARTS
    ]
