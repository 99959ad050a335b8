"""The values of pipelines: templates, their parameters, answers, and the files that come out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from kataui.kata.manifest import Path

_T = TypeVar("_T")

Value = str | int | bool | list[str] | dict[str, str]
Values = Mapping[str, Value]


class Kind(StrEnum):
    """What a parameter takes; it decides the widget and the check."""

    TEXT = "text"
    NAME = "name"  # a DNS-1123 label, of at most 40 characters
    SUBDOMAIN = "subdomain"  # a DNS-1123 subdomain
    CLASS = "class"  # a runtime class: those of kata-deploy are offered, others can be typed
    IMAGE = "image"  # an image reference
    URL = "url"
    CPU = "cpu"  # a Kubernetes quantity of CPUs
    MEMORY = "memory"  # a Kubernetes quantity of bytes
    INTEGER = "integer"
    SWITCH = "switch"  # yes or no
    CHOICE = "choice"
    LIST = "list"  # of texts
    MAP = "map"  # of texts to texts
    SECRET = "secret"  # noqa: S105 - the name of a Kubernetes Secret, never its content
    LINES = "lines"  # text of several lines


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values that a ``choice`` takes."""

    value: str
    title: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One question of a form.

    ``show_if`` maps other parameters to the values with which this one counts; otherwise its
    default is used and it is not asked. ``pattern`` must match the whole text. ``item`` is the
    kind of each item of a list or value of a map. ``expert`` ones are folded away at first.
    ``secret_command`` makes the Secret that a ``secret`` names; ``{name}`` and ``{namespace}`` in
    it are filled in.
    """

    name: str
    title: str
    kind: Kind
    default: Value
    help: str = ""
    group: str = ""
    unit: str = ""
    choices: tuple[Choice, ...] = ()
    pattern: str = ""
    example: str = ""
    minimum: str = ""
    maximum: str = ""
    required: bool = True
    expert: bool = False
    item: Kind = Kind.TEXT
    show_if: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    secret_command: str = ""


class Where(StrEnum):
    """What a stage of a pipeline runs in (visual.md, "boundary grammar")."""

    CONTAINER = "container"
    VM = "vm"
    CONFIDENTIAL = "confidential"
    SHARED = "shared"  # it is meant to be in a VM, and is not


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the strip.

    ``file``, ``document`` and ``path`` are where it stands in what comes out; ``protection`` says
    in a few words what holds it; ``field`` is the answer that decides.
    """

    title: str
    where: Where
    protection: str = ""
    icon: str = ""
    file: str = ""
    document: int = 0
    path: Path = ()
    field: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """One file that a renderer makes: ``objects`` become YAML documents, else ``text`` stands.

    ``head`` is put before them as a comment. ``language`` is yaml, toml, markdown, shell, groovy
    or text.
    """

    path: str
    objects: tuple[Any, ...] = ()
    text: str = ""
    head: str = ""
    language: str = "yaml"


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file with its text; ``lines`` has the 1-based line of each (document, path) of YAML."""

    path: str
    text: str
    language: str
    lines: Mapping[tuple[int, Path], int] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """What a renderer gives: files in the order in which they are shown, and the strip."""

    files: tuple[Made, ...]
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """What comes out of a template with answers."""

    files: tuple[OutputFile, ...]
    stages: tuple[Stage, ...] = ()

    def file(self, path: str) -> OutputFile | None:
        """The file of that name."""
        return next((file for file in self.files if file.path == path), None)


Renderer = Callable[["Answered"], Output]


@dataclass(frozen=True, slots=True)
class Template:
    """A template of the catalogue. ``why`` is one sentence: what Kata gives here.

    ``kubernetes`` is the oldest version that knows all of its objects; ``own`` is true for one
    that a person added. ``render`` builds objects from answers that have no problem.
    """

    id: str
    title: str
    system: str
    version: str
    why: str
    summary: str
    tags: tuple[str, ...]
    minutes: int
    kubernetes: str
    parameters: tuple[Parameter, ...]
    render: Renderer = field(repr=False)
    own: bool = False

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name."""
        return next((p for p in self.parameters if p.name == name), None)


@dataclass(frozen=True, slots=True)
class Broken:
    """A template that cannot be used, and why."""

    folder: str
    problem: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What is kept of a filled form: the template, and what was answered otherwise than usual.

    A secret's value is never in it: parameters only name secrets.
    """

    template: str
    version: str
    values: Mapping[str, Value] = field(default_factory=dict)


class Answered:
    """Whole, checked answers as renderers read them: each access says what kind it expects.

    ``kubernetes`` is the version that the files are for, as in "1.34".
    """

    __slots__ = ("_values", "kubernetes", "template")

    def __init__(self, template: Template, values: Values, kubernetes: str) -> None:
        self.template = template
        self.kubernetes = kubernetes
        self._values = values

    def names(self) -> list[str]:
        """The names of all answers."""
        return list(self._values)

    def value(self, name: str) -> Value:
        """An answer of any kind."""
        return self._values[name]

    def text(self, name: str) -> str:
        """A text (also of choices, names, quantities)."""
        return _typed(self._values[name], str, name)

    def number(self, name: str) -> int:
        """A whole number."""
        return _typed(self._values[name], int, name)

    def on(self, name: str) -> bool:
        """A switch."""
        return _typed(self._values[name], bool, name)

    def items(self, name: str) -> list[str]:
        """A list of texts."""
        return list(_typed(self._values[name], list, name))

    def pairs(self, name: str) -> dict[str, str]:
        """A map of texts to texts."""
        return dict(_typed(self._values[name], dict, name))

    def minor(self) -> tuple[int, int]:
        """The Kubernetes version as numbers, to compare."""
        major, minor = self.kubernetes.split(".")[:2]
        return int(major), int(minor)


def _typed(value: Any, kind: type[_T], name: str) -> _T:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"the answer {name!r} is no {kind.__name__}")
    return value
