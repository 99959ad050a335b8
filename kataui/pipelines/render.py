"""From answers to files: rendering, what an answer changed, which answers decide a line."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping

from kataui.errors import KatauiError
from kataui.kata.yamlwriter import write
from kataui.pipelines.answers import effective, problems, shown
from kataui.pipelines.model import (
    Answered,
    Kind,
    Made,
    OutputFile,
    Parameter,
    Rendered,
    Template,
    Value,
    Values,
)

_MATCHED = 40_000  # lines of the one times lines of the other
Lines = Mapping[str, frozenset[int]]  # file -> 1-based lines
_OTHER_TEXT = {
    Kind.URL: "https://other.invalid/x",
    Kind.IMAGE: "other.invalid/x:other",
    Kind.CPU: "7",
    Kind.MEMORY: "7Gi",
}


class AnswersProblem(KatauiError):
    """Answers that a template does not take; ``field`` is the first one's parameter."""

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


def render(template: Template, values: Values, *, kubernetes: str) -> Rendered:
    """The files and stages of a template.

    ``values`` may leave out what has a default. Raises ``AnswersProblem`` with the first problem.
    """
    found = problems(template, values)
    if found:
        parameter = template.parameter(found[0].field)
        title = parameter.title if parameter else found[0].field
        raise AnswersProblem(
            f"{title} ({found[0].field}): {found[0].text}",
            field=found[0].field,
            hint=f"{len(found)} answers need a change." if len(found) > 1 else "",
        )
    return _rendered(template, values, kubernetes)


def _rendered(template: Template, values: Values, kubernetes: str) -> Rendered:
    output = template.render(Answered(template, effective(template, values), kubernetes))
    return Rendered(tuple(_file(made) for made in output.files), output.stages)


def _file(made: Made) -> OutputFile:
    if made.objects:
        written = write(made.objects, head=made.head)
        return OutputFile(made.path, written.text, made.language, written.lines)
    return OutputFile(made.path, made.text, made.language)


def changed(before: Rendered, after: Rendered) -> Lines:
    """The lines of ``after`` that are new or different; files that came are changed whole."""
    found = {}
    for file in after.files:
        old = before.file(file.path)
        lines = _changed_lines(old.text if old else "", file.text)
        if lines:
            found[file.path] = lines
    return found


def _changed_lines(before: str, after: str) -> frozenset[int]:
    if before == after:
        return frozenset()
    old, new = before.split("\n"), after.split("\n")
    if len(old) == len(new):  # mostly: a value changed, in whatever many places
        return frozenset(i + 1 for i, line in enumerate(new) if line != old[i])
    top = 0
    while top < min(len(old), len(new)) and old[top] == new[top]:
        top += 1
    end = 0
    while end < min(len(old), len(new)) - top and old[-1 - end] == new[-1 - end]:
        end += 1
    # Only what lies between is compared: answers mostly change a few lines of a long file.
    old, new = old[top : len(old) - end], new[top : len(new) - end]
    return frozenset(top + line for line in _new_lines(old, new))


def _new_lines(old: list[str], new: list[str]) -> Iterator[int]:
    """The 1-based lines of ``new`` that are not in ``old`` at their place."""
    if len(old) * len(new) > _MATCHED:  # in order takes the square of it: any place will do
        left = Counter(old)
        for line, text in enumerate(new, 1):
            if left[text] > 0:
                left[text] -= 1
            else:
                yield line
        return
    for tag, _, _, begin, stop in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            yield from range(begin + 1, stop + 1)


def decided_by(template: Template, values: Values, name: str, *, kubernetes: str) -> Lines:
    """The lines that the answer ``name`` decides: those that differ when it is answered otherwise.

    This holds for every renderer, conditions and references included, for it only watches what
    comes out. Answers that have problems decide nothing.
    """
    parameter = template.parameter(name)
    if parameter is None or problems(template, values):
        return {}
    now = _rendered(template, values, kubernetes)
    found: dict[str, frozenset[int]] = {}
    for other in _others(parameter, effective(template, values)[name]):
        then = {**values, name: other}
        if not problems(template, then):
            for file, lines in changed(_rendered(template, then, kubernetes), now).items():
                found[file] = found.get(file, frozenset()) | lines
    return found


def fields_of(
    template: Template, values: Values, file: str, line: int, *, kubernetes: str
) -> list[str]:
    """The answers that decide a line of a file, the one that decides the fewest lines first."""
    weights = []
    for parameter in shown(template, effective(template, values)):
        lines = decided_by(template, values, parameter.name, kubernetes=kubernetes)
        if line in lines.get(file, frozenset()):
            weights.append((sum(map(len, lines.values())), parameter.name))
    return [name for _, name in sorted(weights)]


def _others(parameter: Parameter, value: Value) -> list[Value]:
    """Other answers to the same question, to see what they change."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, list):
        return [[*value, "other"], value[:-1]]
    if isinstance(value, dict):
        return [{**value, "other": "other"}]
    if parameter.kind is Kind.CHOICE:
        return [choice.value for choice in parameter.choices if choice.value != value]
    return [_OTHER_TEXT.get(parameter.kind, "other"), f"{value}x"]
