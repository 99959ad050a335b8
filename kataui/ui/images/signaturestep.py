"""Step 4: the key to sign with, and the repository to sign for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QCheckBox

from kataui.errors import KatauiError
from kataui.images.keymaking import new_key
from kataui.ui.images.flow import Flow, Step
from kataui.ui.images.steppage import StepPage
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.confirm import AskSecret
from kataui.ui.widgets.fields import PathField, TextField, choose_path
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.words import tr


class SignatureStep(StepPage):
    """Encryption proves nothing about the maker: anybody can encrypt for a public key."""

    step = Step.SIGNATURE
    question = "Who says that this image is the right one?"
    why = "Anybody can encrypt for a public key. The signature tells your image from a forged one."

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__(changed)
        self._key = PathField(
            "Signing key", help_text="cosign's private key file; its passphrase is asked for later."
        )
        self._identity = TextField(
            "Repository",
            placeholder="registry.example.org/team/app",
            help_text="Where the image will be pulled from, without tag. It is part of what is "
            "signed: the same image under another name is refused.",
        )
        for field in (self._key, self._identity):
            field.changed.connect(self.answer_changed)
        card = Card()
        card.body.addWidget(self._key)
        card.body.addWidget(flow_row(Button("Make a new signing key…", self._make, icon="key")))
        card.body.addWidget(self._identity)
        self.body.addWidget(card)
        self._bundle = QCheckBox(tr("Add cosign 3's bundle beside the signature"))
        self._bundle.setAccessibleName(tr("Add cosign 3's bundle"))
        self._bundle.toggled.connect(self.answer_changed)
        self.expert_box.addWidget(self._bundle)
        self.add_expert()
        self.fields = {"sign_key": self._key, "identity": self._identity}

    def _make(self) -> None:
        choose_path(self, "Where to keep the new signing key", "folder", "", self._ask)

    def _ask(self, folder: str) -> None:
        title = "Choose a passphrase for the new signing key"
        AskSecret(self, title, lambda secret: self._make_in(Path(folder), secret)).open()

    def _make_in(self, folder: Path, secret: str) -> None:
        try:
            made = new_key("cosign", folder / "image-signing", passphrase=secret)
        except KatauiError as error:
            self._key.show_problem(f"{error.message} {error.hint}")
            return
        self._key.set_text(str(made.private))

    def load(self, flow: Flow) -> None:
        """Show the key and the repository."""
        self._key.set_text(flow.answers.sign_key)
        self._identity.set_text(flow.answers.identity)
        self._bundle.setChecked(flow.answers.bundle)

    def store(self, flow: Flow) -> Flow:
        """Keep them."""
        answers = replace(
            flow.answers,
            sign_key=self._key.text,
            identity=self._identity.text,
            bundle=self._bundle.isChecked(),
        )
        return replace(flow, answers=answers)
