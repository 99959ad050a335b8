"""Publishing a prepared pod: every step is shown as its command before it is done."""

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kataui.errors import NotPossibleHere
from kataui.files import clean
from kataui.pods.broker import parse_broker
from kataui.pods.publish import Place, Plan, Step, plan, programs, publish
from kataui.progress import Control
from kataui.ui.commandtext import Options, broken, command
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.buttons import check_box
from kataui.ui.widgets.card import Card, clear
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.fields import Field, PathField, TextField
from kataui.ui.widgets.text import label

_FACTS = "Uses the network, after you have seen each step."
_SHOW, _DO = "Show the steps", "Publish now"
_MOST_SHOWN = 60


class PublishPage(TaskPage):
    """The same as ``kataui pod publish``; ``network`` is told what is used."""

    def __init__(self, jobs: Jobs, network: Callable[[str], None]) -> None:
        super().__init__(jobs, "Publish a pod", _FACTS, verb=_SHOW, icon="net")
        self._network = network
        self._plan: Plan | None = None
        self.folder = PathField("Prepared pod", mode="folder")
        self.registry = TextField(
            "Registry",
            placeholder="registry.example.org",
            help_text="Empty: the one that the images are named for.",
        )
        self.kbs_url = TextField(
            "Key broker",
            placeholder="https://kbs.example.org:8080",
            help_text="Gets the rule and the keys in keys/. Empty: it is left as it is.",
        )
        self.kbs_cert = PathField("The broker's certificate", help_text="May be empty.")
        self.token = PathField("The broker's admin token", help_text="A file; it is never shown.")
        self.insecure = check_box("Without TLS, for a test registry or broker")
        self.insecure.toggled.connect(lambda _: self._on_changed())
        fields = (self.folder, self.registry, self.kbs_url, self.kbs_cert, self.token)
        for field in fields:
            field.changed.connect(lambda _: self._on_changed())
        self.add_fields(*fields, self.insecure)

    def _on_changed(self) -> None:
        """Steps that were shown for other answers are not done."""
        if self._plan is not None:
            clear(self.result)
            self._wait_for(None)

    def _wait_for(self, wanted: Plan | None) -> None:
        """What the button does next: show the steps, or do those that are shown."""
        self._plan = wanted
        self.run_button.set_words(_DO if wanted else _SHOW)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        options: Options = {
            "--registry": self.registry.text,
            "--insecure": self.insecure.isChecked(),
            "--kbs-url": self.kbs_url.text,
            "--kbs-cert": self.kbs_cert.text,
            "--admin-token-file": self.token.text,
            "--yes": True,
        }
        return command("pod publish", [self.folder.text or "FOLDER"], options)

    def missing(self) -> dict[Field, str]:
        """The pod; the broker's token when there is a broker."""
        wrong: dict[Field, str] = {}
        if not self.folder.text:
            wrong[self.folder] = "Choose the prepared pod."
        if self.kbs_url.text and not self.token.text:
            wrong[self.token] = "The broker asks who may change it: choose the token's file."
        return wrong

    def work(self, secrets: dict[str, str]) -> Work:
        """Look what there is to do; or do what was shown."""
        del secrets
        wanted = self._plan
        if wanted is None:
            texts = (self.folder.text, self.registry.text)
            broker = (self.kbs_url.text, self.token.text, self.kbs_cert.text)
            return partial(_look, texts, broker, insecure=self.insecure.isChecked())
        self._wait_for(None)  # whatever comes of it, it is shown again before it is done again
        with contextlib.suppress(NotPossibleHere):  # then the work says so, and nothing is sent
            programs(wanted.steps)
            self._network(f"Network: publishing to {clean(', '.join(wanted.hosts), limit=80)}")
        return partial(_publish, wanted.steps)

    def show_result(self, outcome: object) -> None:
        """The steps; or that they were done."""
        if isinstance(outcome, Plan):
            self._wait_for(outcome)
            self._show_steps(outcome)
        elif isinstance(outcome, tuple):
            what = f"Published in {len(outcome)} steps."
            scope = "The registry has what the manifest pins: it was asked back for each digest."
            self.say("pass", what, scope, word="Done")

    def _show_steps(self, wanted: Plan) -> None:
        hosts = clean(", ".join(wanted.hosts), limit=120)
        card = Card(f"{len(wanted.steps)} steps", note=f"nothing was sent yet, to {hosts}")
        for note in wanted.notes:
            card.body.addWidget(label(note, tone="warning"))
        for number, step in enumerate(wanted.steps[:_MOST_SHOWN], 1):
            card.body.addWidget(label(f"{number}. {step.sentence}"))
            command = broken([step.command]) if step.words else step.command
            card.body.addWidget(CodeBox(command, name=f"Step {number}"))
        left = len(wanted.steps) - _MOST_SHOWN
        if left > 0:
            card.body.addWidget(label(f"And {left} more: kataui pod publish shows all."))
        self.result.addWidget(card)


def _look(
    texts: tuple[str, str], broker: tuple[str, str, str], control: Control, *, insecure: bool
) -> Plan:
    folder, registry = texts
    known = parse_broker(*broker, insecure=insecure) if broker[0] else None
    return plan(Path(folder), Place(registry, insecure, known), control=control)


def _publish(steps: tuple[Step, ...], control: Control) -> tuple[Step, ...]:
    done: list[Step] = []
    publish(steps, control=control, told=done.append)
    return tuple(done)
