"""How many confidential pods fit on a host, and what cannot work there."""

from functools import partial

from kataui.errors import KatauiError
from kataui.kata.classes import offered
from kataui.kata.quantities import parse_bytes
from kataui.pods.capacity import (
    CANNOT_WORK,
    Capacity,
    HostFacts,
    Platform,
    capacity,
    facts_as_given,
    local_facts,
    remote_facts,
)
from kataui.pods.prepare import DEFAULT_CLASS
from kataui.progress import Control
from kataui.ui.commandtext import command
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.card import Card, column, hairline
from kataui.ui.widgets.choice import Segmented
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import ChoiceField, Field, TextField
from kataui.ui.widgets.text import label

_FACTS = "One pod is one virtual machine is one slot of the platform."
_HOSTS = ["This host", "Over ssh", "For a talk"]
_LOCAL, _SSH, _TALK = _HOSTS
_TEES = [("", "As the class says"), *((one.value, one.value.upper()) for one in Platform)]


class CapacityPage(TaskPage):
    """The same as ``kataui pod capacity``."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(jobs, "How many pods fit", _FACTS, verb="Count", icon="cpu")
        self.source = Segmented(_HOSTS, name="Which host")
        self.host = TextField("Host", placeholder="user@kata-07", help_text="As ssh knows it.")
        classes = [(one.name, one.name) for one in offered() if one.confidential]
        self.runtime_class = ChoiceField("Runtime class", classes)
        self.runtime_class.set_value(DEFAULT_CLASS)
        self.tee = ChoiceField("Platform", _TEES)
        self.memory_per_pod = TextField("Memory of a pod", help_text="2Gi, 512Mi ...")
        self.memory_per_pod.set_text("2Gi")
        self.slots = TextField("Slots", help_text="ASIDs or keys, as you know them; may be empty.")
        self.memory = TextField(
            "Memory of the host", help_text="1Ti, as you know it; may be empty."
        )
        self.max_pods = TextField("Pods a node", help_text="Of the kubelet, if not 110.")
        self.source.chosen.connect(self._on_source)
        self.add_fields(
            *(self.source, self.host, self.runtime_class, self.tee, self.memory_per_pod),
            *(self.slots, self.memory, self.max_pods),
        )
        self._on_source(_LOCAL)

    def _on_source(self, source: str) -> None:
        self._source = source
        self.host.setVisible(source == _SSH)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        hosts = {_LOCAL: "", _SSH: f"ssh:{self.host.text or 'HOST'}", _TALK: "none"}
        options = {
            "--host": hosts[self._source],
            "--runtime-class": self.runtime_class.value,
            "--tee": self.tee.value,
            "--memory-per-pod": self.memory_per_pod.text,
            "--slots": self.slots.text,
            "--memory": self.memory.text,
            "--max-pods": self.max_pods.text,
        }
        return command("pod capacity", [], options)

    def missing(self) -> dict[Field, str]:
        """The host for ssh; numbers that are none."""
        wrong: dict[Field, str] = {}
        if self._source == _SSH and not self.host.text:
            wrong[self.host] = "Name the host."
        for field in (self.slots, self.max_pods):
            if field.text and not (field.text.isascii() and field.text.isdecimal()):
                wrong[field] = "A number from 0."
        for field in (self.memory_per_pod, self.memory):
            try:
                parse_bytes(field.text or "1Gi")
            except KatauiError as error:
                wrong[field] = error.message
        if not self.memory_per_pod.text:
            wrong[self.memory_per_pod] = "Say how much memory a pod asks for."
        return wrong

    def work(self, secrets: dict[str, str]) -> Work:
        """Read the host, and count."""
        del secrets
        return partial(self._count, self._source, self.host.text)

    def _count(self, source: str, host: str, control: Control) -> Capacity:
        read = {
            _LOCAL: local_facts,
            _SSH: lambda: remote_facts(host, control),
            _TALK: HostFacts,
        }
        facts = facts_as_given(read[source](), self.memory.text, self.slots.text)
        return capacity(
            facts,
            runtime_class=self.runtime_class.value,
            pod_memory_bytes=parse_bytes(self.memory_per_pod.text),
            platform=Platform(self.tee.value) if self.tee.value else None,
            max_pods=int(self.max_pods.text) if self.max_pods.text else None,
        )

    def show_result(self, outcome: object) -> None:
        """The number, its bounds with their sources, and what cannot work."""
        if not isinstance(outcome, Capacity):
            return
        self.say("info" if outcome.known else "unknown", outcome.sentence, word="Capacity")
        bounds = Card("What bounds it")
        told = [
            (one.name, f"{'not known' if one.pods is None else one.pods}\n{one.source}")
            for one in outcome.limits
        ]
        bounds.body.addWidget(Facts(told))
        self.result.addWidget(bounds)
        cannot = Card("Cannot work with encrypted memory")
        for number, (feature, why, source) in enumerate(CANNOT_WORK):
            if number:
                cannot.body.addWidget(hairline())
            name = label(f"{feature[0].upper()}{feature[1:]}", "strong")
            reason = label(f"{why[0].upper()}{why[1:]}.")
            cannot.body.addLayout(column(name, reason, label(source, "note"), spacing_u=0.5))
        self.result.addWidget(cannot)
