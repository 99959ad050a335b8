"""The steps and rules of the protect wizard, without a window.

``Flow`` holds the answers for one or several images; several share everything but source and
destination. Nothing is lost on going back or on switching between guided and expert.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from kataui.files import clean
from kataui.images.look import Look, PlatformLook
from kataui.images.protectanswers import ProtectAnswers, problems
from kataui.images.reference import parse_reference


class Step(StrEnum):
    """The pages, in their order."""

    SOURCE = "Source"
    LAYERS = "Layers"
    RECIPIENTS = "Recipients"
    SIGNATURE = "Signature"
    DESTINATION = "Destination"
    SUMMARY = "Summary"
    PROTECT = "Protect"
    PROOF = "Proof"


STEPS = tuple(Step)
_FIELDS = {
    Step.SOURCE: {"source"},
    Step.LAYERS: {"layers", "base"},
    Step.RECIPIENTS: {"recipients"},
    Step.SIGNATURE: {"sign_key", "identity"},
    Step.DESTINATION: {"destination", "receipt"},
}


@dataclass(frozen=True, slots=True)
class Flow:
    """Where the wizard stands. ``looks`` are the opened sources, in the order of ``sources``."""

    answers: ProtectAnswers = field(default_factory=ProtectAnswers)
    sources: tuple[str, ...] = ()
    looks: tuple[Look, ...] = ()
    expert: bool = False

    def each(self) -> tuple[ProtectAnswers, ...]:
        """The answers for every image."""
        if len(self.sources) <= 1:
            source = self.sources[0] if self.sources else ""
            return (replace(self.answers, source=source),)
        folder = Path(self.answers.destination)
        made = []
        for source in self.sources:
            name = f"{short_name(source)}-protected"
            receipt = str(folder / f"{name}.receipt.json") if self.answers.receipt else ""
            target = str(folder / name) if self.answers.destination else ""
            made.append(replace(self.answers, source=source, destination=target, receipt=receipt))
        return tuple(made)

    @property
    def look(self) -> Look | None:
        """The first opened source."""
        return self.looks[0] if self.looks else None


def short_name(reference: str) -> str:
    """A name for people and files: the last part of the path, with the tag."""
    parsed = parse_reference(reference)
    name = Path(parsed.path).name or "image"
    for suffix in (".tar.gz", ".tar", ".tgz"):
        name = name.removesuffix(suffix)
    return clean(f"{name}-{parsed.tag}" if parsed.tag else name, limit=80).replace("/", "_")


def step_problems(flow: Flow, step: Step) -> dict[str, str]:
    """What is wrong with the answers of one step: field and sentence."""
    found: dict[str, str] = {}
    if step is Step.SOURCE and not flow.sources:
        return {"source": "Choose the image to protect."}
    if step is Step.LAYERS:
        return _layer_problems(flow)
    for answers in flow.each():
        for problem in problems(answers):
            if problem.field in _FIELDS.get(step, set()):
                found.setdefault(problem.field, problem.text)
    return found


def _layer_problems(flow: Flow) -> dict[str, str]:
    answers = flow.answers
    if answers.layers != "above-base":
        return {} if answers.layers else {"layers": "Choose at least one layer."}
    known = [p.base for look in flow.looks for p in look.platforms]
    if not answers.base and any(base.count is None or base.guessed for base in known):
        return {"layers": "Where the base ends is not known. Say how many layers it has."}
    return {}


def suggested_base(flow: Flow) -> str:
    """The number of base layers when every image suggests the same one, else nothing.

    A guess decides nothing by itself: it stands in the field, where the user sees and keeps it.
    """
    counts = {p.base.count for look in flow.looks for p in look.platforms}
    count = counts.pop() if len(counts) == 1 else None
    return "" if count is None else str(count)


def first_problem(flow: Flow) -> Step | None:
    """The first step with something wrong, or ``None`` when all can go ahead."""
    return next((step for step in STEPS if step_problems(flow, step)), None)


def answer_text(flow: Flow, step: Step) -> str:
    """The answer given, as the list of steps shows it."""
    answers = flow.answers
    words = {"all": "Everything", "above-base": "Everything above the base"}
    folder = Path(answers.destination).name
    texts = {
        Step.SOURCE: _count(len(flow.sources), "image"),
        Step.LAYERS: words.get(answers.layers, f"Layers {answers.layers}"),
        Step.RECIPIENTS: _count(len(answers.recipients), "recipient"),
        Step.SIGNATURE: Path(answers.sign_key).name,
        Step.DESTINATION: f"{folder}/" if folder else "",
    }
    if len(flow.sources) == 1:
        texts[Step.SOURCE] = short_name(flow.sources[0])
    return texts.get(step, "")


def _count(number: int, word: str) -> str:
    if not number:
        return ""
    return f"1 {word}" if number == 1 else f"{number} {word}s"


def summary(flow: Flow) -> str:
    """What will be done, in one sentence."""
    answers = flow.answers
    rows = [row for look in flow.looks for p in look.platforms for row in p.rows]
    count = len(selected_rows(flow))
    layers = f"{count} of {len(rows)} layers" if count != len(rows) else f"all {count} layers"
    who = len(answers.recipients)
    whom = "1 recipient" if who == 1 else f"{who} recipients"
    images = f" of {len(flow.sources)} images" if len(flow.sources) > 1 else ""
    key = clean(Path(answers.sign_key).name)
    target = clean(Path(answers.destination).name)
    into = f"{target}/" if "." not in target else target
    return f"Encrypt {layers}{images} for {whom}, sign with {key}, write {into}."


def no_way_back(current: int, *, working: bool) -> str:
    """Why nobody can go back from the step of this number; empty when one can."""
    if working:
        return "It is at work: cancel it first."
    return "" if current else "This is the first step."


def selected_rows(flow: Flow) -> set[tuple[int, int, int]]:
    """The layers to encrypt as (image, platform, index)."""
    chosen = set()
    for number, look in enumerate(flow.looks):
        for place, platform in enumerate(look.platforms):
            for row in platform.rows:
                if _is_selected(flow.answers, row.index, platform):
                    chosen.add((number, place, row.index))
    return chosen


def _is_selected(answers: ProtectAnswers, index: int, platform: PlatformLook) -> bool:
    count = len(platform.rows)
    if answers.layers == "all":
        return True
    if answers.layers == "above-base":
        base = base_count(answers, platform)
        return base is not None and index >= base
    words = [word.strip() for word in answers.layers.split(",")]
    return index in {int(word) % count for word in words if word.lstrip("-").isdecimal()}


def base_count(answers: ProtectAnswers, platform: PlatformLook) -> int | None:
    """How many layers are the base's: as the user says, else as the image tells."""
    return int(answers.base) if answers.base.isdecimal() else platform.base.count


def suggested_destination(sources: tuple[str, ...]) -> str:
    """Beside the source: NAME-protected, or a folder for several."""
    first = parse_reference(sources[0])
    folder = Path(first.path).absolute().parent
    if first.transport in {"docker", "containers-storage"} or not folder.is_dir():
        folder = Path.home()
    if len(sources) > 1:
        return str(folder / "protected")
    return str(folder / f"{short_name(sources[0])}-protected")
