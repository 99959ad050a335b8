"""The answers of the protect wizard, and what is still wrong with them. Nothing is written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kataui import files
from kataui.errors import DestinationProblem, KatauiError
from kataui.findings import Problem
from kataui.images.encrypt import choose_profile
from kataui.images.recipients import parse_recipient
from kataui.images.reference import parse_destination, parse_reference
from kataui.images.simplesigning import check_identity
from kataui.images.writer import check_target


@dataclass(frozen=True, slots=True)
class ProtectAnswers:
    """The answers of the wizard, which are the arguments of ``kataui image protect``.

    ``layers`` is "all", "above-base" or indexes such as "0,2,-1"; ``base`` a number of layers
    or a reference; ``keys`` are private keys to prove with; ``profile`` and ``platform`` may be
    empty ("chosen by itself", "all platforms").
    """

    source: str = ""
    destination: str = ""
    recipients: tuple[str, ...] = ()
    sign_key: str = ""
    identity: str = ""
    keys: tuple[str, ...] = ()
    layers: str = "all"
    base: str = ""
    profile: str = ""
    platform: str = ""
    receipt: str = ""
    bundle: bool = False
    force: bool = False

    def as_command(self) -> list[str]:
        """The command line that does the same, as words."""
        words = ["kataui", "image", "protect", self.source, self.destination]
        for name, values in (
            ("--recipient", self.recipients),
            ("--sign-key", (self.sign_key,)),
            ("--identity", (self.identity,)),
            ("--key", self.keys),
            ("--layers", ("" if self.layers == "all" else self.layers,)),
            ("--base", (self.base,)),
            ("--profile", (self.profile,)),
            ("--platform", (self.platform,)),
            ("--receipt", (self.receipt,)),
        ):
            words += [word for value in values if value for word in (name, value)]
        words += [name for name, on in (("--bundle", self.bundle), ("--force", self.force)) if on]
        return words


def problems(answers: ProtectAnswers) -> tuple[Problem, ...]:
    """What is still missing or wrong, without opening the image or asking for a passphrase."""
    return tuple(
        Problem(name, text) for name, check in _CHECKS.items() for text in check(answers) if text
    )


def _says(check: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """The sentence of the error that ``check`` raises, or nothing."""
    try:
        check(*arguments, **options)
    except KatauiError as error:
        return f"{error.message} {error.hint}".strip()
    return ""


def _check_source(answers: ProtectAnswers) -> Iterator[str]:
    if not answers.source:
        yield "Choose the image to protect."
    else:
        yield _says(parse_reference, answers.source)


def _check_recipients(answers: ProtectAnswers) -> Iterator[str]:
    if not answers.recipients:
        yield "Name at least one recipient, or nobody could ever open the image."
        return
    wrong = [text for text in (_says(parse_recipient, item) for item in answers.recipients) if text]
    if wrong:
        yield from wrong
        return
    parsed = [parse_recipient(item) for item in answers.recipients]
    yield _says(choose_profile, answers.profile, parsed)


def _check_sign_key(answers: ProtectAnswers) -> Iterator[str]:
    if not answers.sign_key:
        yield "Choose the key to sign with."
    elif not files.is_file(answers.sign_key):
        yield f"There is no file {files.clean(answers.sign_key)}."


def _check_identity(answers: ProtectAnswers) -> Iterator[str]:
    if not answers.identity:
        yield "Name the repository that the image will be pulled from."
    else:
        yield _says(check_identity, answers.identity)


def _check_destination(answers: ProtectAnswers) -> Iterator[str]:
    if not answers.destination:
        yield "Choose where the protected image is to be written."
        return
    problem = _says(parse_destination, answers.destination)
    if not problem:
        target = Path(parse_destination(answers.destination).path)
        problem = _says(check_target, target, force=answers.force)
    yield problem


def receipt_paths(target: str) -> tuple[Path, ...]:
    """The receipt's JSON, its signature and the page for printing.

    Raises ``DestinationProblem`` when ``target`` is no name for them.
    """
    path = Path(target)
    if path.name and path.suffix != ".html" and "\0" not in target:
        return path, path.with_name(f"{path.name}.sigstore.json"), path.with_suffix(".html")
    raise DestinationProblem(
        f"{files.clean(target)} is no name for a receipt, which is JSON.",
        hint="Write FILE.json; a page for printing, FILE.html, comes beside it.",
    )


def check_receipt(answers: ProtectAnswers) -> None:
    """Raise ``DestinationProblem`` when the receipt could not be written where it is wanted."""
    if not answers.receipt:
        return
    places = (parse_reference(answers.source), parse_destination(answers.destination))
    images = [Path(place.path).resolve() for place in places]
    paths = receipt_paths(answers.receipt)
    for path in paths:
        shown = files.clean(str(path))
        if any(path.resolve().is_relative_to(image) for image in images):
            raise DestinationProblem(
                f"The receipt {shown} would lie in an image.", hint="Choose a place beside it."
            )
        if not files.is_folder(path.parent):
            raise DestinationProblem(
                f"There is no folder {files.clean(str(path.parent))} for the receipt.",
                hint="Make it first, or choose another place.",
            )
        if files.is_folder(path) or (files.is_there(path) and not answers.force):
            raise DestinationProblem(
                f"{shown} exists already and is not overwritten.",
                hint="Choose another name for the receipt, or use --force.",
            )


def _check_receipt(answers: ProtectAnswers) -> Iterator[str]:
    if answers.source and answers.destination:
        yield _says(check_receipt, answers)


_CHECKS = {
    "source": _check_source,
    "recipients": _check_recipients,
    "sign_key": _check_sign_key,
    "identity": _check_identity,
    "destination": _check_destination,
    "receipt": _check_receipt,
}
