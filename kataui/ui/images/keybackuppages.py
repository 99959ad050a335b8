"""Backing a key up, restoring it, and the drill that proves its backup."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from kataui.errors import KatauiError
from kataui.files import clean
from kataui.images.keybackup import Backup, backup
from kataui.images.keydrill import Drilled, drill
from kataui.images.keymaking import KeyInfo
from kataui.images.keyrestore import Restored, restore
from kataui.images.keysplit import parse_split
from kataui.progress import Control
from kataui.ui.commandtext import command
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import Field, PathField, TextField
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.itemsfield import ItemsField
from kataui.ui.widgets.text import label

_SOURCES = (
    "The backup file, its page, a text file with the lines or codes of the page, or enough shares: "
    "their cards, or text files with their words."
)
Tool = Callable[[str], QWidget]


class BackupPage(TaskPage):
    """The same as ``kataui key backup``; ``tool`` shows the page of the drill."""

    def __init__(self, jobs: Jobs, tool: Tool) -> None:
        facts = "Encrypted in one file, and as a page to print. Shares let several people keep it."
        super().__init__(jobs, "Back up a key", facts, verb="Back up", icon="save")
        self._tool = tool
        self.key = PathField("Private key", help_text="Locked keys stay locked in their backup.")
        self.out = PathField(
            "Backup file", mode="save", help_text="A new file; the page and shares go beside it."
        )
        self.first = TextField("Passphrase of the backup", secret=True)
        self.again = TextField("Passphrase again", secret=True)
        self.split = TextField(
            "Split into shares",
            placeholder="3/5",
            help_text="3/5: any 3 of 5 cards restore the key. Empty for none.",
        )
        self.split.changed.connect(lambda _: self._say_which())
        self.add_fields(self.key, self.out, self.first, self.again, self.split)
        self._say_which()

    def fill(self, key: str, split: str = "") -> None:
        """Name the key, and perhaps a split."""
        self.key.set_text(key)
        self.out.set_text(str(Path(key).with_suffix(".backup")) if key else "")
        self.split.set_text(split)

    def _say_which(self) -> None:
        text = "Five words drawn at random make a good one. It is stored nowhere."
        if self.split.text:
            text += " Empty: only the shares restore the key."
        self.first.set_help(text)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        options = {"--out": self.out.text or "FILE", "--split": self.split.text}
        return command("key backup", [self.key.text or "KEY"], options)

    def missing(self) -> dict[Field, str]:
        """The key, where to, and something that opens the backup."""
        wrong: dict[Field, str] = {
            field: "This is needed." for field in (self.key, self.out) if not field.text
        }
        if self.first.edit.text() != self.again.edit.text():
            wrong[self.again] = "The two passphrases differ."
        elif not self.first.edit.text() and not self.split.text:
            wrong[self.first] = "Without a passphrase, or shares, nobody could open it."
        if self.split.text:
            try:
                parse_split(self.split.text)
            except KatauiError as error:
                wrong[self.split] = f"{error.message} {error.hint}"
        return wrong

    def work(self, secrets: dict[str, str]) -> Work:
        """Write the backup; ``secrets`` are not needed."""
        del secrets
        key, out = Path(self.key.text), Path(self.out.text)
        passphrase = self.first.edit.text() or None
        split = parse_split(self.split.text) if self.split.text else None

        def write(control: Control) -> Backup:
            control.report("Writing the backup", 0, 0)
            return backup(key, out, passphrase=passphrase, split=split)

        return write

    def show_result(self, outcome: object) -> None:
        """What was written, and the drill as what comes next."""
        if not isinstance(outcome, Backup):
            return
        for field in (self.first, self.again):
            field.set_text("")
        self.say(
            "pass", "The backup is written.", "It is no backup until it was rehearsed.", "Done"
        )
        card = Card("What was written")
        parts = [("File", outcome.file), ("Page to print", outcome.page)]
        parts += [(f"Share {number}", path) for number, path in enumerate(outcome.cards, 1)]
        facts = [(name, clean(str(path), limit=300)) for name, path in parts if path is not None]
        card.body.addWidget(Facts([*facts, *_key_facts(outcome.info)], mono=frozenset({"SHA-256"})))
        if outcome.cards:
            needed, _, count = outcome.header.split.partition("/")
            text = f"Print each card, give it to another person, and delete these {count} files: "
            card.body.addWidget(label(f"{text}whoever has {needed} of them has the key.", "note"))
        folder = QUrl.fromLocalFile(str(Path(self.out.text).absolute().parent))
        sources = [str(outcome.file)] if outcome.file else [str(path) for path in outcome.cards]
        drill_it = Button("Run the drill…", partial(self._drill, sources), icon="undo")
        show = Button("Show the folder…", partial(QDesktopServices.openUrl, folder), icon="folder")
        card.body.addWidget(flow_row(drill_it, show))
        self.result.addWidget(card)

    def _drill(self, sources: list[str]) -> None:
        page = self._tool("keydrill")
        if isinstance(page, DrillPage):
            page.sources.set_items(sources)


class _SourcesPage(TaskPage):
    """What restoring and the drill share: the sources and their passphrase."""

    def __init__(self, jobs: Jobs, title: str, facts: str, *, verb: str, icon: str) -> None:
        super().__init__(jobs, title, facts, verb=verb, icon=icon)
        self.sources = ItemsField("Restore it from", files=True, help_text=_SOURCES)
        self.secret = TextField(
            "Passphrase of the backup", secret=True, help_text="Not needed with shares."
        )

    def missing(self) -> dict[Field, str]:
        """Something to restore from."""
        if self.sources.items:
            return {}
        return {self.sources: "Name the backup, its page, or shares."}

    def _paths(self) -> list[Path]:
        return [Path(item) for item in self.sources.items]


class RestorePage(_SourcesPage):
    """The same as ``kataui key restore``."""

    def __init__(self, jobs: Jobs) -> None:
        facts = "Writes the private key again, readable only by you, and checks its fingerprint."
        super().__init__(jobs, "Restore a key", facts, verb="Restore", icon="undo")
        self.out = PathField("Key file", mode="save", help_text="A new file.")
        self.add_fields(self.sources, self.secret, self.out)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        return command(
            "key restore", self.sources.items or ("BACKUP",), {"--out": self.out.text or "KEYFILE"}
        )

    def missing(self) -> dict[Field, str]:
        """Sources, and where to."""
        wrong = super().missing()
        if not self.out.text:
            wrong[self.out] = "This is needed."
        return wrong

    def work(self, secrets: dict[str, str]) -> Work:
        """Restore; ``secrets`` are not needed."""
        del secrets
        paths, out, secret = self._paths(), Path(self.out.text), self.secret.edit.text()

        def write(control: Control) -> Restored:
            control.report("Restoring the key", 0, 0)
            return restore(paths, out, lambda _: secret)

        return write

    def show_result(self, outcome: object) -> None:
        """Where it is, and what it is."""
        if isinstance(outcome, Restored):
            self.secret.set_text("")
            where = clean(str(outcome.private), limit=300)
            self.say("pass", "The key is restored.", where, "Done")
            card = Card("The key")
            card.body.addWidget(Facts(_key_facts(outcome.info), mono=frozenset({"SHA-256"})))
            self.result.addWidget(card)


class DrillPage(_SourcesPage):
    """The same as ``kataui key drill``."""

    def __init__(self, jobs: Jobs) -> None:
        facts = "Restores the key where only you can read it, uses it once, and removes it again."
        super().__init__(jobs, "Rehearse a backup", facts, verb="Run the drill", icon="undo")
        self.image = PathField(
            "Image that it opens",
            mode="image",
            help_text="One of its layers is decrypted. Empty: the key opens or signs a probe.",
        )
        self.own = TextField(
            "Passphrase of the key itself", secret=True, help_text="Only for a locked key."
        )
        self.add_fields(self.sources, self.secret, self.image, self.own)

    def fill(self, key: str, newest: str = "") -> None:
        """Name the newest backup; the key's own file must not help."""
        del key
        self.sources.set_items([newest] if newest else [])

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        return command("key drill", self.sources.items or ("BACKUP",), {"--image": self.image.text})

    def work(self, secrets: dict[str, str]) -> Work:
        """Run the drill; ``secrets`` are not needed."""
        del secrets
        paths, image = self._paths(), self.image.text
        secret, own = self.secret.edit.text(), self.own.edit.text()

        def run(control: Control) -> Drilled:
            return drill(
                paths, lambda _: secret, image=image, ask_key=lambda _: own, control=control
            )

        return run

    def show_result(self, outcome: object) -> None:
        """What the restored key did."""
        if isinstance(outcome, Drilled):
            for field in (self.secret, self.own):
                field.set_text("")
            self.say("pass", "The backup restores the key.", outcome.sentence)
            card = Card("The key")
            card.body.addWidget(Facts(_key_facts(outcome.info), mono=frozenset({"SHA-256"})))
            self.result.addWidget(card)


def _key_facts(info: KeyInfo) -> list[tuple[str, str]]:
    facts = [("Kind", f"{info.kind}, {info.algorithm}{', locked' if info.locked else ''}")]
    if info.fingerprint is not None:
        facts += [("In words", info.fingerprint.words), ("SHA-256", info.fingerprint.hex)]
    return facts
