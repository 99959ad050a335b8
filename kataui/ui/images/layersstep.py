"""Step 2: which layers nobody else should be able to read, and what that leaves open."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from kataui.files import size_text
from kataui.images.look import PlatformLook
from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.images.flow import Flow, Step, base_count, selected_rows, suggested_base
from kataui.ui.images.pile import LayerPile, PileRow
from kataui.ui.images.steppage import StepPage
from kataui.ui.widgets.card import Card, clear, hairline, row
from kataui.ui.widgets.choice import ChoiceCards
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import TextField
from kataui.ui.widgets.page import Columns
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_ALL = "No layer can be read without a key. The default for confidential pods."
_OPEN = (
    "Anyone can read what stays open, and a base with a back door goes unnoticed. Signing the "
    "whole image shows a later swap; only a base whose digest you pinned shows that it was the "
    "right one to begin with. Some platforms refuse images that are only partly encrypted."
)


class LayersStep(StepPage):
    """Everything, everything above the base, or an explicit choice."""

    step = Step.LAYERS
    question = "Which layers should nobody else be able to read?"
    why = "Registries, hosts and cluster administrators see every layer that stays readable."

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__(changed)
        self._mode = "all"
        self._boxes: list[QCheckBox] = []
        self._choice = ChoiceCards(
            [
                ("all", "Everything", _ALL, "Safest"),
                ("above-base", "Everything above the base", "", ""),
                (
                    "choose",
                    "Let me choose",
                    "Pick layers one by one. Expert mode takes indexes such as 0,2,-1.",
                    "",
                ),
            ]
        )
        self._choice.chosen.connect(self._on_mode)
        columns = Columns(shares=(1, 1), narrow_u=180)
        columns.left.addWidget(self._choice)
        self._picker = QWidget()
        self._picker_box = QVBoxLayout(self._picker)
        self._picker_box.setContentsMargins(theme.u(4), 0, 0, 0)
        columns.left.addWidget(self._picker)
        self._base = TextField(
            "Layers of the base", help_text="A number of layers, or the base image itself."
        )
        self._base.edit.editingFinished.connect(self.answer_changed)
        columns.left.addWidget(self._base)
        self._build_consequences(columns)
        self.body.addWidget(columns)
        self.fields = {"layers": self._base}

    def _build_consequences(self, columns: Columns) -> None:
        """What stays open at the left, the pile of layers at the right."""
        self._open = Card(look="warning")
        self._open.body.addLayout(
            row(IconLabel("warning"), label("What this leaves open", "strong", wrap=False), None)
        )
        self._open.body.addWidget(label(_OPEN))
        columns.left.addWidget(self._open)
        self._indexes = TextField(
            "Layer indexes", help_text='As skopeo counts: 0 is the base, -1 the last, "0,2,-1".'
        )
        self._indexes.edit.editingFinished.connect(self._on_indexes)
        self.expert_box.addWidget(self._indexes)
        columns.left.addWidget(self._expert)
        self._pile = LayerPile()
        self._figures = QVBoxLayout()
        after = Card("Your image after this", note="top layer first")
        after.body.addWidget(self._pile)
        after.body.addWidget(hairline())
        after.body.addLayout(self._figures)
        columns.right.addWidget(after)

    def _on_mode(self, mode: str) -> None:
        self._mode = mode
        self._picker.setVisible(mode == "choose")
        self.answer_changed()

    def _on_indexes(self) -> None:
        if self._indexes.text and not self._loading:
            self._mode = "indexes"
            self.answer_changed()

    def load(self, flow: Flow) -> None:
        """Show the choice, and the image as it will be."""
        answers = flow.answers
        mode = answers.layers if answers.layers in {"all", "above-base"} else "choose"
        self._mode = mode
        self._choice.choose(mode)
        self._picker.setVisible(mode == "choose")
        if answers.base:
            self._base.set_text(answers.base)
        self._indexes.set_text("" if mode != "choose" else answers.layers)
        platform = flow.look.platforms[0] if flow.look and flow.look.platforms else None
        if platform is not None:
            self._show(flow, platform)

    def _show(self, flow: Flow, platform: PlatformLook) -> None:
        self._show_base(flow, platform)
        chosen = {index for image, place, index in selected_rows(flow) if (image, place) == (0, 0)}
        self._show_boxes(platform, chosen)
        count = base_count(flow.answers, platform) or 0
        rows = [
            PileRow(item.name, item.size_bytes, item.index in chosen, item.index < count)
            for item in platform.rows
        ]
        self._pile.show_rows(rows, platform.base.name)
        shut = sum(item.size_bytes for item in rows if item.encrypted)
        clear(self._figures)
        figure = f"{size_text(shut)} of {size_text(platform.size_bytes)}"
        opens = "skopeo, containerd, and guests with a key broker's key"
        self._figures.addWidget(Facts([("Encrypted", figure), ("Opens in", opens)]))
        self._open.setVisible(len(chosen) < len(platform.rows))

    def _show_base(self, flow: Flow, platform: PlatformLook) -> None:
        """What the second choice means; the suggested number of layers stands in its field."""
        base, count = platform.base, base_count(flow.answers, platform)
        above = flow.answers.layers == "above-base"
        if above and not flow.answers.base:
            self._base.set_text(suggested_base(flow))
        text = "Say below how many layers the base has; nothing in the image tells it."
        if count is not None:
            how = "as you say" if flow.answers.base else base.how
            stay = f"{count} of {base.name or 'the base'} stay readable ({how})"
            text = f"Your {len(platform.rows) - count} layers are encrypted; {stay}."
        self._choice.set_consequence("above-base", text)
        self._base.setVisible(above)

    def _show_boxes(self, platform: PlatformLook, chosen: set[int]) -> None:
        if len(self._boxes) != len(platform.rows):
            clear(self._picker_box)
            self._boxes = []
            for item in platform.rows:
                box = QCheckBox(tr(f"{item.index}  {item.name}, {size_text(item.size_bytes)}"))
                box.setAccessibleName(tr(f"Encrypt layer {item.index}: {item.name}"))
                box.toggled.connect(self.answer_changed)
                self._boxes.append(box)
                self._picker_box.addWidget(box)
        for index, box in enumerate(self._boxes):
            box.setChecked(index in chosen)

    def store(self, flow: Flow) -> Flow:
        """Keep which layers."""
        layers = self._mode
        if self._mode == "indexes":
            layers = self._indexes.text
        elif self._mode == "choose":
            picked = [str(index) for index, box in enumerate(self._boxes) if box.isChecked()]
            layers = ",".join(picked)
        base = self._base.text if layers == "above-base" else flow.answers.base
        answers = replace(flow.answers, layers=layers, base=base)
        return replace(flow, answers=answers)
