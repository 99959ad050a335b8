"""Fields for the reference values of an SEV-SNP guest, folded away: most pods need none."""

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.files import clean
from kataui.pods.launchdigest import VCPU_TYPE, LaunchInputs, launch_inputs, vcpu_types
from kataui.pods.referencevalues import CHANGES_IT, ReferenceValues
from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import ChoiceField, Field, PathField, TextField
from kataui.ui.widgets.text import label

_WHY = (
    "The digest by which a key broker knows that firmware, kernel and command line are yours."
    " All three together, or none."
)


class LaunchFields(QWidget):
    """What enters the launch digest; ``inputs`` is None while nothing is filled in."""

    def __init__(self) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(2.5))
        self._fold = Button("", self._toggle, kind="quiet")
        layout.addWidget(self._fold)
        self._folded = QWidget()
        inner = QVBoxLayout(self._folded)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(theme.u(2.5))
        inner.addWidget(label(_WHY, "dim"))
        for field in self._fields():
            inner.addWidget(field)
        layout.addWidget(self._folded)
        self._show(opened=False)

    def _fields(self) -> tuple[Field, ...]:
        self.firmware = PathField("Firmware", help_text="OVMF, as Kata's AMDSEV.fd.")
        self.kernel = PathField("Guest kernel", help_text="The file that QEMU gets.")
        self.initrd = PathField("Guest initrd", help_text="When it has one.")
        self.append = TextField(
            "Kernel command line", help_text="As QEMU gets it where such a pod runs (-append)."
        )
        self.vcpus = TextField(
            "vCPUs of the guest", help_text="Empty: counted from the limits, as Kata does it."
        )
        types = [(name, name) for name in vcpu_types()]
        self.vcpu_type = ChoiceField("Type of vCPU", types)
        self.vcpu_type.set_value(VCPU_TYPE)
        self.features = TextField("Guest features", help_text="Empty: 0x1, SNP and nothing else.")
        files = (self.firmware, self.kernel, self.initrd)
        return (*files, self.append, self.vcpus, self.vcpu_type, self.features)

    @property
    def inputs(self) -> LaunchInputs | None:
        """What the fields say. Raises ``KatauiError``."""
        return launch_inputs(
            firmware=self.firmware.text,
            kernel=self.kernel.text,
            append=self.append.text,
            initrd=self.initrd.text,
            vcpus=self.vcpus.text,
            vcpu_type=self.vcpu_type.value,
            guest_features=self.features.text,
        )

    def checks(self) -> dict[Field, Callable[[], object]]:
        """What can be told to be wrong before anything is read; it is shown at the first field."""
        return {self.firmware: lambda: self.inputs}

    def unfold(self) -> None:
        """Show the fields."""
        self._show(opened=True)

    def _toggle(self) -> None:
        self._show(opened=self._folded.isHidden())

    def _show(self, *, opened: bool) -> None:
        self._folded.setVisible(opened)
        more = "Reference values (SEV-SNP)"
        self._fold.set_words(
            f"Hide: {more}" if opened else more, icon="down" if opened else "right"
        )


def reference_card(values: ReferenceValues) -> Card:
    """The digest that came out, and what entered."""
    card = Card("Reference values")
    facts = [(name, clean(value, limit=2000)) for name, value in values.facts()]
    names = frozenset({"Launch digest"})
    card.body.addWidget(Facts([("Launch digest", values.measurement), *facts], mono=names))
    card.body.addWidget(label(CHANGES_IT, "dim"))
    return card
