"""Step 5: where the protected image goes."""

from collections.abc import Callable
from dataclasses import replace

from kataui.ui.images.flow import Flow, Step, suggested_destination
from kataui.ui.images.steppage import StepPage
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.fields import PathField, TextField


class DestinationStep(StepPage):
    """A new layout folder, or an archive; nothing that exists is overwritten."""

    step = Step.DESTINATION
    question = "Where should the protected image be written?"
    why = "It appears there whole and proved, or not at all. The source is not touched."

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__(changed)
        self._target = PathField(
            "Destination",
            mode="save",
            help_text="A new folder (OCI layout), or oci-archive:FILE for one file. "
            "For several images: the folder that holds them all.",
        )
        self._receipt = PathField(
            "Receipt",
            mode="save",
            help_text="What was done and checked, as JSON with a signature and as a page to "
            "print. Leave it empty for none.",
        )
        card = Card()
        card.body.addWidget(self._target)
        card.body.addWidget(self._receipt)
        self.body.addWidget(card)
        self._platform = TextField(
            "Platforms", help_text="os/arch, or empty for all that the image has."
        )
        self.expert_box.addWidget(self._platform)
        self.add_expert()
        for field in (self._target, self._receipt, self._platform):
            field.changed.connect(self.answer_changed)
        self.fields = {"destination": self._target, "receipt": self._receipt}

    def load(self, flow: Flow) -> None:
        """Show the destination; the first time, one beside the source is suggested."""
        answers = flow.answers
        target = answers.destination
        if not target and flow.sources:
            target = suggested_destination(flow.sources)
            self._receipt.set_text(f"{target}.receipt.json")
        else:
            self._receipt.set_text(answers.receipt)
        self._target.set_text(target)
        self._platform.set_text(answers.platform)

    def store(self, flow: Flow) -> Flow:
        """Keep it."""
        answers = replace(
            flow.answers,
            destination=self._target.text,
            receipt=self._receipt.text,
            platform=self._platform.text,
        )
        return replace(flow, answers=answers)
