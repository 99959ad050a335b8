"""A pod's containers as rows of marks and words; no window is needed for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kataui.files import clean
from kataui.pods.audit import Audit, Audited
from kataui.pods.coverage import Encrypted, Signed
from kataui.pods.model import Kind, Pod, shown_image

_KINDS = {
    Kind.MAIN: "main",
    Kind.INIT: "init",
    Kind.SIDECAR: "sidecar",
    Kind.EPHEMERAL: "pushed in by someone else",
}
_SORTED_ABOVE = 8  # more rows than this: what stands out goes first
MOST_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Cell:
    """A mark ("pass", "fail", "warning", "unknown") and its word."""

    mark: str
    word: str


@dataclass(frozen=True, slots=True)
class Row:
    """One container; ``alert`` says that nobody who wrote the manifest asked for it."""

    name: str
    kind: str
    image: str
    whole_image: str
    pinned: Cell
    encrypted: Cell
    signed: Cell
    in_policy: Cell
    alert: bool = False

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The four checks in the order of the columns."""
        return self.pinned, self.encrypted, self.signed, self.in_policy

    @property
    def sentence(self) -> str:
        """The row as it is read out."""
        names = ("pinned", "encrypted", "signed", "in policy")
        told = (f"{name}: {cell.word}" for name, cell in zip(names, self.cells, strict=True))
        return f"{self.name}, {self.kind}, {self.image}; {'; '.join(told)}"


def rows(found: Audit) -> tuple[Row, ...]:
    """All containers, and those that a webhook is asked to add; at most ``MOST_SHOWN``."""
    made = [_row(one) for one in found.containers[:MOST_SHOWN]]
    made += [row for pod in found.pods for row in _announced(pod, made)]
    if len(made) > _SORTED_ABOVE:
        made.sort(key=lambda row: not row.alert)
    return tuple(made)


def _row(one: Audited) -> Row:
    container = one.container
    return Row(
        name=clean(container.name, limit=80) or "no name",
        kind=_KINDS[container.kind],
        image=shown_image(container.image),
        whole_image=clean(container.image, limit=400) or "no image",
        pinned=Cell("pass", "Digest") if container.pinned else Cell("fail", "Tag only"),
        encrypted=_encrypted(one),
        signed=_signed(one),
        in_policy=_in_policy(one),
        alert=container.kind is Kind.EPHEMERAL or one.in_policy is False,
    )


def _encrypted(one: Audited) -> Cell:
    found = one.coverage
    match found.encrypted:
        case Encrypted.ALL if found.guest_opens is False:
            return Cell("warning", "Not for guests")
        case Encrypted.ALL:
            return Cell("pass", "All layers")
        case Encrypted.SOME:
            return Cell("warning", f"{found.shut} of {found.layers} layers")
        case Encrypted.NONE:
            return Cell("fail", "No")
    return Cell("unknown", "Not here")


def _signed(one: Audited) -> Cell:
    found = one.coverage
    match found.signed:
        case Signed.VALID:
            names = [key for key, _ in found.signers]
            return Cell("pass", clean(names[0], limit=40) if names else "Yes")
        case Signed.INVALID:
            return Cell("fail", "Not valid")
        case Signed.MISSING:
            return Cell("fail", "Missing")
    return Cell("unknown", "No key given" if found.digest else "Not here")


def _in_policy(one: Audited) -> Cell:
    if one.in_policy is None:
        return Cell("unknown", "No policy")
    return Cell("pass", "Yes") if one.in_policy else Cell("fail", "Not in it")


def _announced(pod: Pod, shown: Sequence[Row]) -> Iterator[Row]:
    """What the pod's labels ask a webhook for, and which no manifest names."""
    unknown = Cell("unknown", "Not known")
    names = {row.name for row in shown}
    for injector in pod.injectors:
        name = f"{clean(injector, limit=60)} sidecar"
        if name not in names:
            yield Row(
                name=name,
                kind="a webhook will push it in",
                image="not known before it is there",
                whole_image="not known before it is there",
                pinned=unknown,
                encrypted=unknown,
                signed=unknown,
                in_policy=unknown,
                alert=True,
            )
