"""Applying with kubectl, or the commands for it when it is not here."""

from collections.abc import Callable

from kataui.pipelines.model import Rendered
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.text import label

_MOST_LINES = 40


class ApplyCard(Card):
    """The commands of the README; a cluster is never touched without being asked."""

    def __init__(
        self, jobs: Jobs, rendered: Rendered, problem: Callable[[str, str], object]
    ) -> None:
        super().__init__("Then")
        self._jobs, self._problem = jobs, problem
        commands = commands_of(rendered)
        self.body.addWidget(label("The commands are in README.md, too.", "note"))
        self.body.addWidget(CodeBox(commands, name="Commands"))

    def on_closed(self) -> None:
        """Nothing goes on."""


def commands_of(rendered: Rendered) -> str:
    """The indented lines of the README: what is to be typed."""
    readme = rendered.file("README.md")
    lines = readme.text.split("\n") if readme else []
    found = [line[4:] for line in lines if line.startswith("    ") and " " in line.strip()]
    return "\n".join(found[:_MOST_LINES]) or "kubectl apply -f ."
