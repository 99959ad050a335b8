"""The answers of a form while it is filled: what they give, what changed, the way back. No Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kataui.findings import Problem
from kataui.pipelines.answers import defaults, problem_of, problems
from kataui.pipelines.model import Kind, Parameter, Rendered, Template, Value, Values
from kataui.pipelines.render import Lines, changed, render

_MOST_STEPS = 500


@dataclass(frozen=True, slots=True)
class View:
    """What the answers give now.

    ``changed`` are the lines that the answer ``by`` (a title) changed. ``problems`` are those of
    the answers; each field of ``stood_in`` has one, and the files show what it held before, its
    example or its default instead. ``rendered`` is None as long as nothing can be shown.
    """

    rendered: Rendered | None = None
    changed: Lines = field(default_factory=dict)
    by: str = ""
    problems: tuple[Problem, ...] = ()
    stood_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    """The answers after an answer to ``field``."""

    field: str
    values: Mapping[str, Value]


class FormState:
    """``put`` answers, ``undo`` and ``redo`` go back and forth; ``view`` is what comes out.

    Answers to one field in a row are one step, until ``seal`` is called (the focus has left it).
    """

    def __init__(self, template: Template, values: Values, kubernetes: str) -> None:
        self.template = template
        self.kubernetes = kubernetes
        known = {parameter.name for parameter in template.parameters}
        kept = {name: value for name, value in values.items() if name in known}
        self._steps = [_Step("", {**defaults(template), **kept})]
        self._place = 0
        self._sealed = True
        self._good: dict[str, Value] = {}
        self._base: Rendered | None = None
        self.view = View()
        self._render("")

    @property
    def values(self) -> dict[str, Value]:
        """All answers as they stand in the form."""
        return dict(self._steps[self._place].values)

    @property
    def answered(self) -> dict[str, Value]:
        """The answers that are not the usual ones."""
        usual = defaults(self.template)
        return {name: value for name, value in self.values.items() if value != usual[name]}

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return self._place > 0

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return self._place < len(self._steps) - 1

    def put(self, name: str, value: Value) -> bool:
        """Answer one field; gives whether anything is different now."""
        now = self._steps[self._place]
        if now.values[name] == value:
            return False
        again = now.field == name and not self._sealed and not self.can_redo
        if not again:
            self._base = self.view.rendered
            del self._steps[self._place + 1 :]
        step = _Step(name, {**now.values, name: value})
        self._steps[self._place + (0 if again else 1) :] = [step]
        del self._steps[: max(0, len(self._steps) - _MOST_STEPS)]
        self._place = len(self._steps) - 1
        self._sealed = False
        self._render(name)
        return True

    def seal(self) -> None:
        """What is answered next is a step of its own."""
        self._sealed = True

    def undo(self) -> str:
        """Take the last answer back; gives its field, or nothing."""
        if not self.can_undo:
            return ""
        name = self._steps[self._place].field
        self._move(-1, name)
        return name

    def redo(self) -> str:
        """Give the answer again that was taken back; gives its field, or nothing."""
        if not self.can_redo:
            return ""
        name = self._steps[self._place + 1].field
        self._move(1, name)
        return name

    def _move(self, by: int, name: str) -> None:
        self._place += by
        self._sealed = True
        self._base = self.view.rendered
        self._render(name)

    def set_kubernetes(self, version: str) -> None:
        """Render for another version."""
        self._base = self.view.rendered
        self._sealed = True
        self.kubernetes = version
        self._render("", by="Kubernetes version")

    def problem(self, name: str) -> str:
        """What is wrong with the answer to a field, or nothing."""
        return next((one.text for one in self.view.problems if one.field == name), "")

    def _render(self, name: str, *, by: str = "") -> None:
        found = tuple(problems(self.template, self.values))
        usable, stood_in = self._usable(found)
        parameter = self.template.parameter(name)
        title = by or (parameter.title if parameter else "")
        if usable is None:
            self.view = View(self.view.rendered, {}, title, found, tuple(p.field for p in found))
            return
        for key, value in usable.items():
            self._good.setdefault(key, value)
            if key not in stood_in:
                self._good[key] = value
        rendered = render(self.template, usable, kubernetes=self.kubernetes)
        lines = changed(self._base, rendered) if self._base is not None else {}
        self.view = View(rendered, lines, title, found, stood_in)

    def _usable(
        self, found: tuple[Problem, ...]
    ) -> tuple[dict[str, Value] | None, tuple[str, ...]]:
        """Answers without problems, and the fields for which something else stands in."""
        values = self.values
        stood_in: list[str] = []
        while found:
            name = found[0].field
            parameter = self.template.parameter(name)
            other = None if parameter is None or name in stood_in else self._instead(parameter)
            if other is None:
                return None, ()
            values[name] = other
            stood_in.append(name)
            found = tuple(problems(self.template, values))
        return values, tuple(stood_in)

    def _instead(self, parameter: Parameter) -> Value | None:
        """What a field held before, its example, or its default; None when none of them will do."""
        offered = (
            self._good.get(parameter.name),
            *_examples(parameter),
            parameter.default,
            _OTHERS.get(parameter.kind),
        )
        for value in offered:
            if value is not None and not problem_of(parameter, value):
                return value
        return None


def _examples(parameter: Parameter) -> list[Value]:
    """The example, and what it stands for where it is cut short (a digest, a PEM block)."""
    text = parameter.example
    if not text:
        return []
    if parameter.kind is Kind.LIST:
        return [[text]]
    closed = f"{text}\nAAAA\n{text.replace('BEGIN', 'END')}"
    return [text, text.replace("…", "0" * 64), closed]


_OTHERS: dict[Kind, Value] = {
    Kind.TEXT: "example",
    Kind.NAME: "example",
    Kind.SUBDOMAIN: "example",
    Kind.SECRET: "example",
    Kind.IMAGE: "registry.example.org/team/app:1",
    Kind.URL: "https://example.org",
    Kind.LIST: ["example"],
    Kind.MAP: {"example": "example"},
    Kind.LINES: "example",
}
