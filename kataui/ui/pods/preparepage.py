"""Preparing a pod: all its images encrypted, signed, proved and pinned, in one folder."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from kataui.errors import KatauiError
from kataui.files import clean, count_text, is_there
from kataui.images.estimate import Strength
from kataui.images.keymaking import new_key
from kataui.images.recipients import parse_recipient
from kataui.images.simplesigning import check_identity
from kataui.kata.classes import offered
from kataui.pods.prepare import DEFAULT_CLASS, PrepareAnswers, Prepared, prepare
from kataui.pods.sidecars import sidecars_of
from kataui.progress import Control
from kataui.ui.commandtext import broken
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.pods.launchfields import LaunchFields, reference_card
from kataui.ui.pods.looking import Question
from kataui.ui.widgets.buttons import Button, check_box
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import ChoiceField, Field, PathField, TextField, choose_path
from kataui.ui.widgets.findings import FindingList
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.itemsfield import ItemsField
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_FACTS = "Every image encrypted, signed, proved and pinned; secrets only in keys/."
_LAYERS = [("all", "Everything"), ("above-base", "Everything above the base")]
_PREFIX = "Registry and namespace; each image keeps the last part of its name."
_SIDECARS = "NAME=IMAGE, as istio-proxy=docker.io/istio/proxyv2:1.24.0; may be empty."
_KEY_AT = "kbs:///default/image-key/pod"


class PreparePage(TaskPage):
    """The same as ``kataui pod prepare``."""

    def __init__(
        self, jobs: Jobs, opened: Callable[[str], None], network: Callable[[str], None]
    ) -> None:
        """``opened`` shows a folder in the window, ``network`` says what uses it."""
        super().__init__(jobs, "Prepare a pod", _FACTS, verb="Prepare", icon="lock")
        self._opened, self._network = opened, network
        self.bases: tuple[str, ...] = ()
        self.launch = LaunchFields()
        self.add_fields(
            *self._what_runs(),
            *(label("Keys", "heading"), *self._who_opens()),
            *(label("Where it will run", "heading"), *self._where(), self.launch),
        )

    def _what_runs(self) -> tuple[QWidget, ...]:
        self.file = PathField("Manifest", help_text="Comments and order are kept.")
        self.images = PathField(
            "Its images", mode="folder", help_text="A folder of layouts and archives."
        )
        self.pull = check_box("Fetch what is not there from its registry, by skopeo")
        self.sidecars = ItemsField(
            "Sidecars that a webhook will add", icon="pod", help_text=_SIDECARS
        )
        self.layers = ChoiceField("Layers", _LAYERS)
        self.out = PathField("Write to", mode="save", help_text="A new folder.")
        return self.file, self.images, self.pull, self.sidecars, self.layers, self.out

    def _who_opens(self) -> tuple[QWidget, ...]:
        self.recipients = ItemsField(
            "Who may open the images",
            icon="key",
            help_text="kbs:///REPO/TYPE/TAG=KEYFILE for confidential guests, jwe:FILE for hosts.",
        )
        self.sign_key = PathField("Signing key", help_text="cosign's private key file.")
        self.prove_keys = ItemsField(
            "Private keys to prove with",
            icon="key",
            files=True,
            help_text="A key broker's key proves itself.",
        )
        return self.recipients, self.sign_key, self._makers(), self.prove_keys

    def _where(self) -> tuple[QWidget, ...]:
        self.prefix = TextField("Where the images will be", help_text=_PREFIX)
        self.prefix.edit.setPlaceholderText(tr("registry.example.org/team"))
        classes = [(one.name, one.name) for one in offered() if one.confidential]
        self.runtime_class = ChoiceField("Runtime class", classes)
        self.runtime_class.set_value(DEFAULT_CLASS)
        self.kbs_url = TextField(
            "Key broker", placeholder="https://kbs.example.org:8080", help_text="May be empty."
        )
        self.kbs_cert = PathField("The broker's certificate", help_text="May be empty.")
        self.policy = PathField("Agent policy", help_text="genpolicy's output; may be empty.")
        broker = (self.kbs_url, self.kbs_cert, self.policy)
        return (self.prefix, self.runtime_class, *broker)

    def _makers(self) -> QWidget:
        """Keys can be made on the spot."""
        return flow_row(
            Button("Make a key for the guest…", self._make_guest_key, icon="key"),
            Button("Make a signing key…", self._make_sign_key, icon="sign"),
        )

    def _make_guest_key(self) -> None:
        choose_path(self, "Where to keep the new key", "folder", "", self.make_guest_key)

    def make_guest_key(self, folder: str) -> None:
        """Make a key broker's key there, and name it as a recipient."""
        try:
            made = new_key("kbs", Path(folder) / "pod-images")
        except KatauiError as error:
            self.recipients.show_problem(f"{error.message} {error.hint}")
            return
        self.recipients.set_items((*self.recipients.items, f"{_KEY_AT}={made.private}"))

    def _make_sign_key(self) -> None:
        choose_path(self, "Where to keep the new key", "folder", "", self.make_sign_key)

    def make_sign_key(self, folder: str) -> None:
        """Make a signing key without a passphrase there, and take it."""
        try:
            made = new_key("cosign", Path(folder) / "pod-signing")
        except KatauiError as error:
            self.sign_key.show_problem(f"{error.message} {error.hint}")
            return
        self.sign_key.set_text(str(made.private))

    def fill(self, question: Question, strength: Strength, bases: tuple[str, ...]) -> None:
        """Begin with what the pod's page knows; ``bases`` are IMAGE=LAYERS."""
        self.file.set_text(question.file)
        self.images.set_text(question.images)
        self.pull.setChecked(question.pull)
        self.bases = bases
        self.layers.set_value(strength.value if strength is not Strength.NOTHING else "all")
        if question.file:
            path = Path(question.file)
            self.out.set_text(str(path.absolute().with_name(f"{path.stem}-prepared")))

    @property
    def answers(self) -> PrepareAnswers:
        """What the fields say."""
        return PrepareAnswers(
            file=self.file.text,
            images=self.images.text,
            out=self.out.text,
            recipients=self.recipients.items,
            sign_key=self.sign_key.text,
            identity_prefix=self.prefix.text,
            runtime_class=self.runtime_class.value,
            kbs_url=self.kbs_url.text,
            kbs_certificate=self.kbs_cert.text,
            policy=self.policy.text,
            layers=self.layers.value,
            keys=self.prove_keys.items,
            bases=self.bases if self.layers.value == "above-base" else (),
            sidecars=self.sidecars.items,
            pull=self.pull.isChecked(),
            launch=self.launch.inputs,
        )

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        said = self.answers
        known = replace(
            said,
            file=said.file or "MANIFEST",
            out=said.out or "FOLDER",
            recipients=said.recipients or ("RECIPIENT",),
            sign_key=said.sign_key or "SIGN-KEY",
            identity_prefix=said.identity_prefix or "REGISTRY/NAMESPACE",
        )
        return known.as_command()

    def missing(self) -> dict[Field, str]:
        """What is missing, and what cannot be right, before anything is read."""
        asked = {
            self.file: "Choose the manifest of a pod.",
            self.images: "Choose the folder with its images.",
            self.out: "Name a new folder.",
            self.sign_key: "Choose the key to sign with.",
            self.prefix: "Say where the images will be pulled from.",
        }
        if self.pull.isChecked():
            del asked[self.images]
        wrong: dict[Field, str] = {f: text for f, text in asked.items() if not f.text}
        if not self.recipients.items:
            wrong[self.recipients] = "Name at least one, or nobody could ever open the images."
        for field, check in self._checks().items():
            text = _says(check)
            if field not in wrong and text:
                wrong[field] = text
        if self.out.text and is_there(self.out.text):
            wrong[self.out] = "It is there already: name a new folder."
        if wrong.keys() & self.launch.checks().keys():
            self.launch.unfold()
        return wrong

    def _checks(self) -> dict[Field, Callable[[], object]]:
        def recipients() -> None:
            for one in self.recipients.items:
                parse_recipient(one)

        return {
            self.recipients: recipients,
            self.sidecars: lambda: sidecars_of(self.sidecars.items),
            self.prefix: lambda: check_identity(f"{self.prefix.text.rstrip('/')}/image"),
            **self.launch.checks(),
        }

    def locked_keys(self) -> list[str]:
        """The signing key, and keys to prove with."""
        return [self.sign_key.text, *self.prove_keys.items]

    def work(self, secrets: dict[str, str]) -> Work:
        """Prepare the pod."""
        if self.pull.isChecked():
            self._network("Network: skopeo reads the images of a pod")
        return partial(_prepare, self.answers, secrets)

    def show_result(self, outcome: object) -> None:
        """The verdict, each image, what is still open, the page to read, and the command."""
        if not isinstance(outcome, Prepared):
            return
        images_done = count_text(len(outcome.images), "image")
        what = f"{images_done} prepared in {clean(outcome.out.name)}."
        scope = "The keys are released for this initdata only, if the broker has the rule."
        self.say(outcome.verdict.value, what, scope)
        images = Card("Images")
        images.body.addWidget(
            Facts(
                [
                    (clean(one.asked, limit=120), f"{one.pin}\n{one.sentence}")
                    for one in outcome.images
                ]
            )
        )
        self.result.addWidget(images)
        if outcome.reference:
            self.result.addWidget(reference_card(outcome.reference))
        if outcome.findings:
            card = Card("Still open")
            card.body.addWidget(FindingList(outcome.findings))
            self.result.addWidget(card)
        after = Card("What to do next")
        after.body.addWidget(label("index.html in the folder says it step by step."))
        shown = str(outcome.out / "manifest.yaml")
        after.body.addWidget(
            flow_row(
                Button("See what runs now…", lambda: self._opened(shown), icon="pod"),
            )
        )
        after.body.addWidget(
            CodeBox(broken([shlex.join(self.answers.as_command())]), name="Command")
        )
        self.result.addWidget(after)


def _says(check: Callable[[], object]) -> str:
    try:
        check()
    except KatauiError as error:
        return f"{error.message} {error.hint}".strip()
    return ""


def _prepare(answers: PrepareAnswers, secrets: dict[str, str], control: Control) -> Prepared:
    return prepare(answers, ask=secrets.get, control=control)
