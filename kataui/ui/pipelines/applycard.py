"""What comes after the export: the commands, and the cluster, when kubectl is here and asked."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtWidgets import QVBoxLayout

from kataui import tools
from kataui.findings import Finding, Severity
from kataui.pipelines import cluster
from kataui.pipelines.model import Rendered
from kataui.progress import Control
from kataui.ui import theme
from kataui.ui.jobs import Jobs
from kataui.ui.telling import problem_words
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.confirm import Confirm
from kataui.ui.widgets.fields import ChoiceField
from kataui.ui.widgets.findings import FindingList
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.text import label

_MOST_LINES = 40
_ASK_FIRST = "Ask the cluster first."
_NOTE = (
    "kubectl uses the network, with your configuration and rights. Asking changes nothing: the "
    "API server checks every object, keeps none, and is compared with what it has."
)
_WITHOUT = "With kubectl installed, kataui can also ask your cluster, and apply."
Answer = tuple[cluster.Cluster, list[cluster.Tried], list[Finding]]


class ApplyCard(Card):
    """The commands of the README; a cluster is never touched without being asked."""

    def __init__(
        self, jobs: Jobs, rendered: Rendered, kubernetes: str, network: Callable[[str], object]
    ) -> None:
        super().__init__("Then")
        self._jobs, self._network, self._kubernetes = jobs, network, kubernetes
        self._rendered = rendered
        self._control: Control | None = None
        self._closed = False
        self.answer: Answer | None = None
        self.body.addWidget(label("The commands are in README.md, too.", "note"))
        self.body.addWidget(CodeBox(commands_of(rendered), name="Commands"))
        if tools.find("kubectl") is None:
            self.body.addWidget(label(_WITHOUT, "note"))
            return
        self._begin(lambda _: cluster.contexts(), self._offer)

    def _begin(self, work: Callable[[Control], object], then: Callable[..., None]) -> None:
        """Work whose end is told only while the card is there."""

        def told(call: Callable[..., None], outcome: object) -> None:
            if not self._closed:
                call(outcome)

        self._control = self._jobs.start(
            work, on_done=partial(told, then), on_error=partial(told, self._failed)
        )

    def _offer(self, told: tuple[str, Sequence[str]]) -> None:
        """The contexts of kubectl."""
        current, names = told
        if not names:
            self.body.addWidget(label("kubectl has no context: it knows no cluster yet.", "note"))
            return
        self.context = ChoiceField("Cluster", [(name, name) for name in names], help_text=_NOTE)
        self.context.set_value(current or names[0])
        self.context.changed.connect(lambda _: self._forget())
        self.ask_button = Button("Ask the cluster", self.ask)
        self.apply_button = Button("Apply…", self.confirm)
        self.body.addWidget(self.context)
        self.body.addWidget(flow_row(self.ask_button, self.apply_button))
        self._result = QVBoxLayout()
        self._result.setSpacing(theme.u(2.5))
        self.body.addLayout(self._result)
        self._forget()

    def _forget(self) -> None:
        self.answer = None
        clear(self._result)
        self.apply_button.set_reason(_ASK_FIRST)

    def ask(self) -> None:
        """Show what the cluster would say."""
        self._forget()
        wanted, context = cluster.items_of(self._rendered), self.context.value
        kubernetes = self._kubernetes

        def work(control: Control) -> Answer:
            found = cluster.look(context, control)
            tried = cluster.try_out(wanted, context, control)
            return found, tried, cluster.findings(found, tried, checked_for=kubernetes)

        self._start(work, self._on_answer, f"Asking {context}…")

    def _start(
        self, work: Callable[[Control], object], then: Callable[..., None], words: str
    ) -> None:
        self._network(f"Network: kubectl, {self.context.value}")
        self.ask_button.set_reason(words)
        self.apply_button.set_reason(words)
        self._result.addWidget(label(words, "dim"))
        self._begin(work, then)

    def _on_answer(self, answer: Answer) -> None:
        self.answer = answer
        self.ask_button.set_reason("")
        clear(self._result)
        found, tried, findings = answer
        errors = sum(one.severity is Severity.ERROR for one in findings)
        reason = f"The cluster would refuse {errors} of them." if errors else ""
        self.apply_button.set_reason(reason)
        self._say("fail" if errors else "pass", f"{counted(tried)}.", _about(found))
        if findings:
            self._result.addWidget(FindingList(findings))
        text = "\n".join(
            f"{cluster.word_of(one)}: {one.item.subject}\n{one.difference}".rstrip()
            for one in tried
        )
        self._result.addWidget(CodeBox(text, name="What would change"))

    def confirm(self) -> None:
        """Ask once more, with the summary."""
        if self.answer is None:
            return
        found, tried, _ = self.answer
        title = f"Apply to {found.context}?"
        text = f"{counted(tried)}. kataui applies them one after the other, with your rights."
        Confirm(self, title, text, "Apply", self.apply).open()

    def apply(self) -> None:
        """Do it."""
        if self.answer is None:
            return
        found, tried, _ = self.answer
        wanted = [one.item for one in tried]
        clear(self._result)
        work = partial(cluster.apply, wanted, found.context)
        self._start(work, self._on_applied, f"Applying to {found.context}…")

    def _on_applied(self, said: list[str]) -> None:
        context = self.context.value
        self._forget()
        self.ask_button.set_reason("")
        self._say("pass", f"Applied to {context}.", "", word="Done")
        self._result.addWidget(CodeBox("\n".join(said), name="What kubectl said"))

    def _failed(self, error: Exception) -> None:
        if not hasattr(self, "ask_button"):
            self.body.addWidget(label(" ".join(problem_words(error)), "note", tone="fail"))
            return
        self._forget()
        self.ask_button.set_reason("")
        self._say("fail", *problem_words(error), word="Not done")

    def _say(self, verdict: str, sentence: str, scope: str = "", word: str = "") -> None:
        banner = VerdictBanner()
        banner.show_verdict(verdict, sentence, scope, word)
        self._result.addWidget(banner)

    def on_closed(self) -> None:
        """Stop what goes on."""
        self._closed = True
        if self._control is not None:
            self._control.cancel()


def _about(found: cluster.Cluster) -> str:
    kata = ", ".join(found.kata_classes) or "none of Kata"
    return f"{found.context}: Kubernetes {found.version}; runtime classes: {kata}"


def counted(tried: Sequence[cluster.Tried]) -> str:
    """How many objects would become what: "2 new, 1 changed"."""
    words = [cluster.word_of(one) for one in tried]
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)) or "No object"


def commands_of(rendered: Rendered) -> str:
    """The indented lines of the README: what is to be typed."""
    readme = rendered.file("README.md")
    lines = readme.text.split("\n") if readme else []
    found = [line[4:] for line in lines if line.startswith("    ") and " " in line.strip()]
    return "\n".join(found[:_MOST_LINES]) or "kubectl apply -f ."
