"""Carrying a prepared pod: packed here, unpacked and verified on the far side."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from kataui.errors import KatauiError
from kataui.files import clean, is_file, is_there, size_text, write_new
from kataui.images.cosignkey import load_signing_key
from kataui.images.signatures import load_public_keys
from kataui.pods.arrival import NOT_CHECKED, Arrival, ArrivalFailed, Check
from kataui.pods.inventory import make_inventory, read_inventory
from kataui.pods.parcel import Packed, pack, part_size
from kataui.pods.parcellist import SUFFIX
from kataui.pods.parcelread import unpack
from kataui.progress import Control
from kataui.ui import theme
from kataui.ui.commandtext import Options, command
from kataui.ui.icons import IconLabel
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.telling import problem_words
from kataui.ui.widgets.buttons import Button, check_box
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import Field, PathField, TextField
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.itemsfield import ItemsField
from kataui.ui.widgets.text import label, restyle
from kataui.ui.words import tr

_PACK = "One file, or parts of a medium's size. Keys never travel with it."
_UNPACK = "Every byte is checked as it comes; nothing appears before all of it is right."
_MOST_SHOWN = 100


class PackPage(TaskPage):
    """The same as ``kataui pod pack``."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(jobs, "Pack a pod", _PACK, verb="Pack", icon="disk")
        self.folder = PathField("Prepared pod", mode="folder", help_text="keys/ stays here.")
        self.out = PathField("Write to", mode="save", help_text=f"Gets {SUFFIX} at its end.")
        self.split = TextField(
            "Size of the medium",
            placeholder="4.7G",
            help_text="For parts: 700M, 4.7G, 25G. Empty for one file.",
        )
        self.have = PathField(
            "What the far side has", help_text="Its inventory: blobs in it are left out."
        )
        self.sign_key = PathField(
            "Signing key", help_text="cosign's private key file: proves who packed it."
        )
        self.force = check_box("Replace a parcel that is there")
        self.folder.changed.connect(self._on_folder)
        self.add_fields(self.folder, self.out, self.force, self.split, self.have, self.sign_key)

    def _on_folder(self, text: str) -> None:
        if text and not self.out.text:
            path = Path(text.rstrip("/"))
            self.out.set_text(str(path.with_name(f"{path.name}{SUFFIX}")) if path.name else "")

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        options: Options = {
            "--out": self.out.text or "FILE",
            "--split": self.split.text,
            "--have": self.have.text,
            "--sign-key": self.sign_key.text,
            "--force": self.force.isChecked(),
        }
        return command("pod pack", [self.folder.text or "FOLDER"], options)

    def missing(self) -> dict[Field, str]:
        """The folder, where to write, and a size that is one."""
        told = {self.folder: "Choose the prepared pod.", self.out: "Name a new file."}
        wrong: dict[Field, str] = {field: text for field, text in told.items() if not field.text}
        if self.split.text:
            try:
                part_size(self.split.text)
            except KatauiError as error:
                wrong[self.split] = error.message
        return wrong

    def locked_keys(self) -> list[str]:
        """The signing key."""
        return [self.sign_key.text]

    def work(self, secrets: dict[str, str]) -> Work:
        """Pack the folder."""
        texts = (self.folder.text, self.out.text, self.split.text)
        files = (self.have.text, self.sign_key.text)
        return partial(_pack, texts, files, secrets, force=self.force.isChecked())

    def irreversible(self) -> tuple[str, str]:
        """A parcel that is replaced is gone."""
        if not self.force.isChecked():
            return "", ""
        return "A parcel of this name is replaced, with all its parts.", "replace"

    def show_result(self, outcome: object) -> None:
        """What was packed, in which files, and what was not."""
        if not isinstance(outcome, Packed):
            return
        count = len(outcome.parts)
        where = clean(outcome.parts[0].name) if count == 1 else f"{count} parts"
        what = f"{outcome.files} files packed in {where}, {size_text(outcome.size_bytes)}."
        signed = "It is signed." if outcome.signed else "It is not signed: nothing proves who did."
        self.say("pass", what, signed, word="Done")
        card = Card("Carry this")
        shown = outcome.parts[:_MOST_SHOWN]
        card.body.addWidget(
            Facts([(clean(path.name), size_text(path.stat().st_size)) for path in shown])
        )
        for text in _said(outcome):
            card.body.addWidget(label(text))
        self.result.addWidget(card)


def _said(made: Packed) -> list[str]:
    lines = [f"And {len(made.parts) - _MOST_SHOWN} more parts."] * (len(made.parts) > _MOST_SHOWN)
    if made.kept:
        lines.append(f"{made.kept} of {len(made.parts)} were there and right.")
    if made.left_out:
        size = size_text(made.left_out_bytes)
        lines.append(f"Left out, for the far side has them: {made.left_out} blobs, {size}.")
    if made.secret:
        lines.append(f"Secret, so not packed: {', '.join(made.secret[:_MOST_SHOWN])}.")
    lines.append("On the far side kataui opens it, or any of its parts.")
    return lines


def _pack(
    texts: tuple[str, str, str],
    files: tuple[str, str],
    secrets: dict[str, str],
    control: Control,
    *,
    force: bool,
) -> Packed:
    folder, out, split = texts
    have, sign_key = files
    return pack(
        Path(folder),
        Path(out),
        part_bytes=part_size(split) if split else None,
        have=read_inventory(Path(have)) if have else frozenset(),
        sign_key=load_signing_key(Path(sign_key), secrets.get) if sign_key else None,
        force=force,
        control=control,
    )


class UnpackPage(TaskPage):
    """The same as ``kataui pod unpack``; ``opened`` shows a manifest in the window."""

    def __init__(self, jobs: Jobs, opened: Callable[[str], None]) -> None:
        super().__init__(jobs, "Unpack a parcel", _UNPACK, verb="Unpack", icon="save")
        self._opened = opened
        self.parcel = PathField("Parcel", help_text="Or any of its parts; the others are found.")
        self.out = PathField("Write to", mode="save", help_text="A new folder.")
        self.public_key = PathField(
            "Public key of the sender", help_text="cosign's .pub file, got another way."
        )
        self.have = ItemsField(
            "Images that are here",
            folders=True,
            icon="folder",
            help_text="For blobs that were left out, and for the inventory.",
        )
        self.parcel.changed.connect(self._on_parcel)
        self.add_fields(self.parcel, self.out, self.public_key, self.have)
        self.inventory = PathField("Inventory", mode="save", help_text="A new file to send back.")
        self._told = label("", "note")
        self._told.setVisible(False)
        card = Card("For the next parcel", note="what is here need not be carried again")
        card.body.addWidget(self.inventory)
        card.body.addLayout(row(None, Button("Write the inventory", self.write_inventory)))
        card.body.addWidget(self._told)
        self._left.addWidget(card)

    def _on_parcel(self, text: str) -> None:
        """A folder beside it, unless another was named."""
        name = Path(text).name.partition(SUFFIX)[0]
        if name and not self.out.text:
            self.out.set_text(str(Path(text).absolute().with_name(name)))

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        options: Options = {
            "--out": self.out.text or "FOLDER",
            "--public-key": self.public_key.text,
            "--from": self.have.items,
        }
        return command("pod unpack", [self.parcel.text or "PARCEL"], options)

    def missing(self) -> dict[Field, str]:
        """The parcel, and a folder that is not there."""
        told = {self.parcel: "Choose the parcel.", self.out: "Name a new folder."}
        wrong: dict[Field, str] = {field: text for field, text in told.items() if not field.text}
        if self.out.text and is_there(self.out.text):
            wrong[self.out] = "It is there already: name a new folder."
        return wrong

    def work(self, secrets: dict[str, str]) -> Work:
        """Unpack and verify."""
        del secrets
        texts = (self.parcel.text, self.out.text, self.public_key.text)
        return partial(_unpack, texts, self.have.items)

    def show_result(self, outcome: object) -> None:
        """The verdict, what was checked, and what was not."""
        if not isinstance(outcome, Arrival):
            return
        failed = outcome.verdict.value == "fail"
        scope = "Nothing was written." if failed else f"It is in {clean(self.out.text)}."
        self.say(outcome.verdict.value, outcome.sentence, scope)
        card = Card("What was checked")
        card.body.addWidget(_Checks(outcome.checks[:_MOST_SHOWN]))
        self.result.addWidget(card)
        card = Card("What was not checked")
        for text in NOT_CHECKED:
            card.body.addWidget(label(f"{text[0].upper()}{text[1:]}."))
        self.result.addWidget(card)
        manifest = Path(self.out.text) / "manifest.yaml"
        if not failed and is_file(manifest):
            show = Button("See what it runs", lambda: self._opened(str(manifest)), icon="pod")
            self.result.addWidget(flow_row(show))

    def write_inventory(self) -> None:
        """Read the images that are here, and write their digests."""
        if not self.have.items or not self.inventory.text:
            for field, given in ((self.have, self.have.items), (self.inventory, ())):
                if not given and not field.text:
                    field.show_problem("This is needed for the inventory.")
            return
        work = partial(_inventory, self.have.items, self.inventory.text)
        self._say_written("The images that are here are read…")
        self._jobs.start(
            work,
            on_done=self._say_written,
            on_error=lambda error: self._say_written(" ".join(problem_words(error)), tone="fail"),
        )

    def _say_written(self, text: object, tone: str = "") -> None:
        self._told.setText(str(text))
        restyle(self._told, tone=tone)
        self._told.setVisible(True)


def _unpack(texts: tuple[str, str, str], have: tuple[str, ...], control: Control) -> Arrival:
    parcel, out, public_key = texts
    try:
        made = unpack(
            [Path(parcel)],
            Path(out),
            public_keys=load_public_keys([public_key]),
            have=[Path(folder) for folder in have],
            control=control,
        )
    except ArrivalFailed as error:
        return error.arrival
    return made.arrival


def _inventory(folders: tuple[str, ...], file: str, control: Control) -> str:
    data = make_inventory([Path(folder) for folder in folders], control)
    write_new(Path(file), data)
    return f"{clean(Path(file).name)} is written: {data.count(b'sha256')} blobs are here."


class _Checks(QWidget):
    """A line for each thing that was checked: a mark by its shape, its name, what held."""

    def __init__(self, checks: tuple[Check, ...]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.u(3))
        grid.setVerticalSpacing(theme.u(2))
        grid.setColumnStretch(2, 1)
        for line, one in enumerate(checks):
            mark = IconLabel(one.held.value, size_u=4)
            mark.setAccessibleName(tr(one.held.value))
            grid.addWidget(mark, line, 0, Qt.AlignmentFlag.AlignTop)
            name = label(clean(one.name, limit=40), "strong", wrap=False)
            grid.addWidget(name, line, 1, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label(one.sentence, selectable=True), line, 2)
