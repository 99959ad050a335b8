"""What everybody can still read of an image whose layers are encrypted.

Source: ocicrypt leaves manifest and configuration as they are (image-spec v1.1, config.md).
"""

from collections.abc import Iterator

from kataui.files import size_text
from kataui.findings import Finding, Severity
from kataui.images.leaks import Leak, setting_leak, text_leaks
from kataui.images.model import Image

_MAX_LEAKS = 100
_WHY_SECRET = "Encryption hides layers. It never hides this: who gets the image reads it."  # noqa: S105 - a sentence


def readable_facts(image: Image) -> tuple[Finding, ...]:
    """What still can be read, likely secrets first; their values are masked.

    ``message`` is the headline, ``why`` the detail; ``subject`` of a leak is the masked setting.
    The search for secrets is a guess by names and shapes: finding none proves nothing.
    """
    leaks = dict.fromkeys(_leaks(image))  # a secret in ARG and ENV is told once a place
    found = [_leak(place, leak) for place, leak in list(leaks)[:_MAX_LEAKS]]
    return (*found, *_history(image), *_settings(image), *_layers(image))


def _leaks(image: Image) -> Iterator[tuple[str, Leak]]:
    config = image.config
    for entry in config.environment:
        name, _, value = entry.partition("=")
        leak = setting_leak(name, value)
        if leak is not None:
            yield "environment", leak
    for labels, place in ((config.labels, "labels"), (image.annotations, "annotations")):
        for name, value in labels.items():
            leak = setting_leak(name, value)
            if leak is not None:
                yield place, leak
    for text in (" ".join(config.entrypoint), " ".join(config.command)):
        for leak in text_leaks(text):
            yield "start command", leak
    for line in config.history:
        for leak in (*text_leaks(line.created_by), *text_leaks(line.comment)):
            yield "history", leak


def _leak(place: str, leak: Leak) -> Finding:
    fix = "Move it to a Secret or the key broker, and replace it: it may be known already."
    if place == "history":
        fix = "Build again with RUN --mount=type=secret, and replace the secret."
    return Finding(
        "IMG-LEAK-SECRET",
        Severity.ERROR,
        leak.shown,
        f"A likely secret in the {place}",
        why=_WHY_SECRET,
        fix=fix,
    )


def _history(image: Image) -> Iterator[Finding]:
    lines = sum(bool(line.created_by or line.comment) for line in image.config.history)
    if lines:
        yield Finding(
            "IMG-LEAK-HISTORY",
            Severity.WARNING,
            "history",
            "How it was built",
            why=f"{_many(lines, 'history line names', 'history lines name')} files and packages.",
            fix="Build with one final stage that only copies, or squash the history.",
        )


def _settings(image: Image) -> Iterator[Finding]:
    labels, variables = len(image.config.labels), len(image.config.environment)
    if labels or variables:
        yield Finding(
            "IMG-LEAK-SETTINGS",
            Severity.INFO,
            "labels and environment",
            "Labels and environment",
            why=f"{_many(labels, 'label', 'labels')} and "
            f"{_many(variables, 'variable', 'variables')} may name teams and services.",
        )
    config = image.config
    if config.entrypoint or config.command or config.user or config.working_dir:
        yield Finding(
            "IMG-LEAK-START",
            Severity.INFO,
            "start command",
            "What it starts",
            why="The command, user and work folder stand in the configuration.",
        )


def _layers(image: Image) -> Iterator[Finding]:
    count = len(image.layers)
    if not count:
        return
    layers = _many(count, "layer", "layers")
    yield Finding(
        "IMG-LEAK-SIZES",
        Severity.INFO,
        "sizes",
        "Sizes and digests",
        why=f"{layers}, {size_text(image.size_bytes)}. "
        "Anyone can tell that two images share a base.",
    )
    yield Finding(
        "IMG-LEAK-DIFFID",
        Severity.INFO,
        "diff_ids",
        "Plain digests of each layer",
        why="Someone who has a layer's files can test whether it is inside.",
    )


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
