"""Where the protecting of one or several images stands, from its progress reports. No window.

Every layer is read twice: once while it is encrypted (or copied), once when the result is checked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kataui.errors import Cancelled, KatauiError
from kataui.files import size_text
from kataui.images.inspect import LayerRow
from kataui.images.protect import Protected, protect
from kataui.images.protectanswers import ProtectAnswers
from kataui.progress import Control, Progress
from kataui.ui.images.flow import Flow, base_count, selected_rows
from kataui.ui.images.pile import PileRow

_STEP = re.compile(r"(?:Image (\d+) of \d+: )?(Encrypting|Checking) layer (\d+) of (\d+)")
_PASSES = 2


class OneOf(Control):
    """The control of one image among several: its steps say which; the whole decides to stop."""

    def __init__(self, whole: Control, number: int, count: int) -> None:
        super().__init__()
        self._whole = whole
        self._prefix = f"Image {number} of {count}: " if count > 1 else ""

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop everything."""
        return self._whole.cancelled

    def check(self) -> None:
        """Raise ``Cancelled`` when the user asked to stop."""
        self._whole.check()

    def report(self, step: str, done_bytes: int, total_bytes: int) -> None:
        """Report to the whole."""
        self._whole.report(f"{self._prefix}{step}", done_bytes, total_bytes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image: it is protected, or ``error`` says why not."""

    answers: ProtectAnswers
    done: Protected | None = None
    error: KatauiError | None = None


def protect_all(
    each: Sequence[ProtectAnswers], secrets: dict[str, str], control: Control
) -> list[Outcome]:
    """Protect one image after the other; one that cannot be protected does not stop the rest.

    Raises what went wrong with a single image, and ``Cancelled`` when nothing at all was written.
    """
    outcomes: list[Outcome] = []
    for number, answers in enumerate(each, 1):
        try:
            one = OneOf(control, number, len(each))
            outcomes.append(Outcome(answers, protect(answers, ask=secrets.get, control=one)))
        except KatauiError as error:
            outcomes.append(Outcome(answers, error=error))
            if isinstance(error, Cancelled):
                break
    last = outcomes[-1].error
    nothing = not any(item.done for item in outcomes)
    if last is not None and nothing and (len(each) == 1 or isinstance(last, Cancelled)):
        raise last
    return outcomes


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer to come: its row, whether it will be encrypted, and whether the base has it."""

    row: LayerRow
    chosen: bool
    base: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The layer at work: ``image`` and ``layer`` from 0, how much of it, and in which pass."""

    image: int
    layer: int
    done_bytes: int
    checking: bool


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """The layers of all images in the order of the work."""

    images: tuple[tuple[_Layer, ...], ...] = ()

    def place(self, progress: Progress) -> Place | None:
        """What a report is about; ``None`` when it is no layer of the plan."""
        match = _STEP.match(progress.step)
        if match is None:
            return None
        image, layer, count = (int(match[group] or 1) for group in (1, 3, 4))
        known = self.images[image - 1] if image <= len(self.images) else ()
        if not (count == len(known) and 1 <= layer <= count):  # only some platforms were chosen
            return None
        return Place(image - 1, layer - 1, progress.done_bytes, match[2] == "Checking")

    def whole(self, progress: Progress, place: Place) -> Progress:
        """The report as a share of all the work, with the layer's name."""
        sizes = [sum(_sizes(image)) for image in self.images]
        done = _PASSES * sum(sizes[: place.image]) + (sizes[place.image] if place.checking else 0)
        done += sum(_sizes(self.images[place.image])[: place.layer]) + place.done_bytes
        name = self.images[place.image][place.layer].row.name
        return Progress(f"{progress.step}: {name}", done, _PASSES * sum(sizes))

    def rows(self, place: Place) -> list[PileRow]:
        """The layers of the image at work, from the base up, as far as they are."""
        return [
            _pile_row(layer, place, number) for number, layer in enumerate(self.images[place.image])
        ]


def plan(flow: Flow) -> WorkPlan:
    """The plan for a wizard's answers; empty when the images were not looked at."""
    chosen = selected_rows(flow)
    images = []
    for number, look in enumerate(flow.looks):
        layers = []
        for place, platform in enumerate(look.platforms):
            base = base_count(flow.answers, platform) or 0
            layers += [
                _Layer(row, (number, place, row.index) in chosen, row.index < base)
                for row in platform.rows
            ]
        images.append(tuple(layers))
    return WorkPlan(tuple(images))


def _sizes(layers: Sequence[_Layer]) -> list[int]:
    return [layer.row.size_bytes for layer in layers]


def _pile_row(layer: _Layer, place: Place, number: int) -> PileRow:
    now, before = number == place.layer, number < place.layer
    size = size_text(layer.row.size_bytes)
    if now:
        state = f"{size_text(place.done_bytes)} of {size}"
    elif place.checking and before:
        state = f"{size}  checked"
    elif place.checking or before:
        state = f"{size}  {'encrypted' if layer.chosen else 'copied'}"
    else:
        state = f"{size}  waits"
    locked = layer.chosen and (place.checking or before)
    return PileRow(layer.row.name, layer.row.size_bytes, locked, layer.base, state, now)
