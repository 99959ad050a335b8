"""Keys: those that are known and their backups; make one, show one, change a passphrase."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.errors import KatauiError
from kataui.files import clean
from kataui.images import keystate
from kataui.images.cosignkey import change_passphrase
from kataui.images.keymaking import KeyInfo, NewKey, describe_key, new_key
from kataui.images.keys import load_keys
from kataui.images.opens import opens_layers
from kataui.progress import Control
from kataui.ui.images.knownkeys import KnownKeys
from kataui.ui.jobs import Jobs
from kataui.ui.telling import problem_words
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, row
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import ChoiceField, PathField, TextField
from kataui.ui.widgets.page import Columns, Page
from kataui.ui.widgets.text import label

_PURPOSES = [
    ("jwe", "To open images (JWE): skopeo, buildah, containerd"),
    ("cosign", "To sign images (cosign)"),
    ("kbs", "For a key broker (CoCo): 32 bytes"),
    ("pkcs7", "To open images, with a certificate (PKCS7)"),
]
_KINDS = [
    ("", "Recommended"),
    ("rsa-3072", "RSA 3072"),
    ("rsa-4096", "RSA 4096"),
    ("p256", "EC P-256"),
    ("p384", "EC P-384"),
    ("p521", "EC P-521"),
]


class KeysPage(Page):
    """``open_images`` gives the references of the images that are open, to say what a key opens.

    ``tool`` shows the page of another act, by its name, and gives it.
    """

    def __init__(
        self,
        jobs: Jobs,
        open_images: Callable[[], list[str]],
        tool: Callable[[str], QWidget],
    ) -> None:
        actions: list[QWidget] = [Button("Restore a key…", partial(tool, "keyrestore"))]
        about = "Private halves stay in their files and are never shown."
        super().__init__("Keys", about, actions=actions)
        self._jobs, self._open_images, self._tool = jobs, open_images, tool
        self.known = KnownKeys(jobs, open_images)
        self.known.act.connect(self._act)
        self.body.addWidget(self.known)
        columns = Columns(shares=(1, 1), narrow_u=200)
        self._build_new()
        self._build_show()
        self._build_change()
        columns.left.addWidget(self._new_card)
        columns.right.addWidget(self._show_card)
        columns.right.addWidget(self._change_card)
        self.body.addWidget(columns)

    def showEvent(self, event: QShowEvent) -> None:
        """Something may have been backed up or restored meanwhile."""
        super().showEvent(event)
        self.known.refresh()

    def on_closed(self) -> None:
        """Look at nothing any more."""
        self.known.stop()

    def _act(self, name: str, key: str, more: str) -> None:
        page = self._tool(name)
        fill = getattr(page, "fill", None)
        if fill is not None:
            fill(key, more)

    def _build_new(self) -> None:
        self._new_card = Card("Make a key")
        self.purpose = ChoiceField("What for", _PURPOSES)
        self.kind = ChoiceField("Kind", _KINDS)
        self.prefix = PathField(
            "Name", mode="save", help_text="Writes NAME.key, readable only by you, and NAME.pub."
        )
        self.first = TextField("Passphrase", secret=True, help_text="May be empty.")
        self.again = TextField("Passphrase again", secret=True)
        for field in (self.purpose, self.kind, self.prefix, self.first, self.again):
            self._new_card.body.addWidget(field)
        self._made = QVBoxLayout()
        make = Button("Make the key", self._make, kind="primary", icon="key")
        self._new_card.body.addLayout(row(None, make))
        self._new_card.body.addLayout(self._made)
        self.purpose.changed.connect(self._on_purpose)
        self._on_purpose(self.purpose.value)

    def _on_purpose(self, purpose: str) -> None:
        self.kind.setVisible(purpose in {"jwe", "pkcs7"})
        for field in (self.first, self.again):
            field.setVisible(purpose == "cosign")

    def _build_show(self) -> None:
        self._show_card = Card("Show a key")
        self.file = PathField("Key file", help_text="Public, private, certificate or 32 bytes.")
        self._shown = QVBoxLayout()
        self.file.changed.connect(lambda _: clear(self._shown))
        self._show_card.body.addWidget(self.file)
        self._show_card.body.addLayout(row(None, Button("Show", self.show_file, name="Show key")))
        self._show_card.body.addLayout(self._shown)

    def _build_change(self) -> None:
        self._change_card = Card("Change a passphrase")
        self.locked = PathField("Signing key", help_text="A cosign key file.")
        self.old = TextField("Old passphrase", secret=True)
        self.new = TextField("New passphrase", secret=True)
        for field in (self.locked, self.old, self.new):
            self._change_card.body.addWidget(field)
        self._changed = QVBoxLayout()
        button = Button("Change the passphrase", self._change)
        self._change_card.body.addLayout(row(None, button))
        self._change_card.body.addLayout(self._changed)

    def _make(self) -> None:
        if not self.prefix.text:
            self.prefix.show_problem("Say where to keep the key.")
            return
        if self.purpose.value == "cosign" and self.first.edit.text() != self.again.edit.text():
            self.again.show_problem("The two passphrases differ.")
            return
        secret = self.first.edit.text() if self.purpose.value == "cosign" else ""
        algorithm = self.kind.value if self.purpose.value in {"jwe", "pkcs7"} else ""
        purpose, prefix = self.purpose.value, Path(self.prefix.text)

        def work(_: Control) -> NewKey:
            made = new_key(purpose, prefix, algorithm=algorithm, passphrase=secret)
            keystate.note_key(describe_key(made.private))
            return made

        failed = partial(_show_error, self._made)
        self._jobs.start(work, on_done=self._on_made, on_error=failed)

    def _on_made(self, made: NewKey) -> None:
        self.first.set_text("")
        self.again.set_text("")
        clear(self._made)
        banner = VerdictBanner()
        text = "Back it up now: without the private key nobody opens what is encrypted for it."
        banner.show_verdict("pass", f"Made {clean(str(made.private))}.", text, word="Done")
        self._made.addWidget(banner)
        self._made.addWidget(Facts(_facts(made.info), mono=frozenset({"SHA-256"})))
        back_up = Button("Back it up…", partial(self._act, "keybackup", str(made.private), ""))
        self._made.addLayout(row(back_up, None))
        self.known.refresh()

    def show_file(self) -> None:
        """Say what the file is, and which open images it opens."""
        clear(self._shown)
        path = Path(self.file.text)
        try:
            info = describe_key(path)
        except KatauiError as error:
            self.file.show_problem(" ".join(problem_words(error)).strip())
            return
        keystate.note_key(info)
        self.known.refresh()
        self._shown.addWidget(Facts(_facts(info), mono=frozenset({"SHA-256"})))
        if info.private and info.readable_by_others:
            warning = "Others on this computer can read this private key: chmod 600 it."
            self._shown.addWidget(label(warning, tone="warning"))
        images = self._open_images()
        if info.private and not info.locked and images and info.kind == "key":
            work = partial(_opens, str(path), images)
            self._jobs.start(
                work,
                on_done=lambda found: self._shown.addWidget(Facts(found)),
                on_error=partial(_show_error, self._shown),
            )

    def _change(self) -> None:
        clear(self._changed)
        try:
            change_passphrase(Path(self.locked.text), self.old.edit.text(), self.new.edit.text())
        except KatauiError as error:
            self.locked.show_problem(" ".join(problem_words(error)).strip())
            return
        self.old.set_text("")
        self.new.set_text("")
        self._changed.addWidget(label("The passphrase is changed.", tone="pass"))


def _show_error(place: QVBoxLayout, error: Exception) -> None:
    clear(place)
    banner = VerdictBanner()
    message, hint = problem_words(error)
    banner.show_verdict("fail", message, hint, word="Not done")
    place.addWidget(banner)


def _facts(info: KeyInfo) -> list[tuple[str, str]]:
    half = "private" if info.private else "public"
    facts = [("Kind", f"{info.kind}, {info.algorithm}, {half}")]
    if info.locked:
        facts.append(("Locked", "by a passphrase"))
    if info.fingerprint is not None:
        facts += [("In words", info.fingerprint.words), ("SHA-256", info.fingerprint.hex)]
    return facts


def _opens(path: str, images: list[str], _: Control) -> list[tuple[str, str]]:
    ring = load_keys((path,), lambda _prompt: None)
    found = []
    for image in images:
        try:
            opened, total = opens_layers(image, ring)
        except KatauiError as error:
            found.append((Path(image).name, clean(error.message, limit=120)))
            continue
        if total:
            found.append((Path(image).name, f"opens {opened} of {total} encrypted layers"))
    return found or [("Opens", "none of the images that are open")]
