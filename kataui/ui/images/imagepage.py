"""One opened image: verdict, layers, what still can be read, what it runs, signatures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QVBoxLayout

from kataui.files import clean, size_text
from kataui.findings import Verdict
from kataui.images.keys import KeyRing
from kataui.images.look import TRANSPORT_NAMES, Look, PlatformLook, look
from kataui.images.model import Digest
from kataui.images.open import open_source
from kataui.images.signatures import Evidence
from kataui.images.verify import Report, verify
from kataui.progress import Control, Progress
from kataui.ui import theme
from kataui.ui.commandtext import command
from kataui.ui.icons import IconLabel
from kataui.ui.images.layertable import LayerTable
from kataui.ui.jobs import Jobs
from kataui.ui.telling import problem_words
from kataui.ui.when import moment_text
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, row
from kataui.ui.widgets.choice import Segmented
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import TextField
from kataui.ui.widgets.findings import FindingList
from kataui.ui.widgets.page import Columns, Page
from kataui.ui.widgets.text import label

_SIGNATURE_MARK = {"valid": "pass", "invalid": "fail", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class ImageActions:
    """What the page asks of the window; ``told`` gets the verdict and its sentence."""

    protect: Callable[[str], None]
    verify: Callable[[str], None]
    tool: Callable[[str, str], None]
    reopen: Callable[[str], None]
    deploy: Callable[[str], None]
    told: Callable[[str, str], None]


class HeaderActions:
    """The buttons of the header: what is to be done next with a plain image, or a protected one."""

    def __init__(self, reference: str, actions: ImageActions) -> None:
        self.protect = Button("Protect…", lambda: actions.protect(reference), icon="lock")
        self.verify = Button("Verify…", lambda: actions.verify(reference), icon="shield")
        self.recipients = Button("Recipients…", lambda: actions.tool("recipients", reference))
        self.decrypt = Button("Decrypt…", lambda: actions.tool("decrypt", reference))
        self.compare = Button("Compare…", lambda: actions.tool("compare", reference))
        self.use = Button("Use in a pipeline…", lambda: actions.deploy(self.pin))
        self.use.hide()  # until it is known where it will be pulled from
        self.pin = ""
        self.buttons = (
            self.use,
            self.compare,
            self.recipients,
            self.decrypt,
            self.verify,
            self.protect,
        )

    def show_for(self, *, encrypted: bool) -> None:
        """An encrypted image is verified with a key; what is not encrypted can be protected."""
        self.protect.setVisible(not encrypted)
        for button in (self.recipients, self.decrypt):
            button.setVisible(encrypted)
        self.protect.set_kind("" if encrypted else "primary")
        self.verify.set_kind("primary" if encrypted else "")

    def show_pin(self, signatures: Sequence[Evidence]) -> None:
        """An image that is signed for a repository can be used from there, by its digest."""
        named = [one for one in signatures if one.identity and one.digest is not None]
        if named:
            self.pin = f"{named[0].identity}@{named[0].digest}"
        self.use.setVisible(bool(named))

    def refuse(self, reason: str) -> None:
        """Nothing can be done."""
        for button in self.buttons:
            button.set_reason(reason)


class ImagePage(Page):
    """Opens at once from the manifests; the verdict follows when everything was read."""

    def __init__(self, jobs: Jobs, reference: str, actions: ImageActions) -> None:
        header = HeaderActions(reference, actions)
        name = clean(reference.rstrip("/").rsplit("/", 1)[-1], limit=80)
        super().__init__(name, "Opening…", actions=list(header.buttons))
        self.header = header
        header.show_for(encrypted=False)
        self._jobs, self._reference, self._outside = jobs, reference, actions
        self.banner = VerdictBanner()
        self.banner.show_verdict("info", "Opening the image…")
        self.body.addWidget(self.banner)
        self._content = QVBoxLayout()
        self._content.setSpacing(theme.u(4))
        self.body.addLayout(self._content)
        self._signatures = Card("Signatures")
        self._notes = Card("Worth knowing")
        self._controls = [
            jobs.start(
                lambda control: look(reference, control),
                on_done=self._on_looked,
                on_error=self._on_failed,
                target=reference,
            )
        ]

    def as_command(self) -> list[str]:
        """As words."""
        return command("image inspect", [self._reference], {})

    def on_closed(self) -> None:
        """Stop reading."""
        for control in self._controls:
            control.cancel()

    def _on_failed(self, error: Exception) -> None:
        message, hint = problem_words(error)
        self.banner.show_verdict("fail", message, hint, word="Cannot open")
        self.set_facts(clean(self._reference, limit=200))
        self.header.refuse("The image could not be opened.")
        clear(self._content)
        card = Card("Open it differently")
        field = TextField("Reference", help_text="PATH:TAG names one image of several.")
        field.set_text(self._reference)
        card.body.addWidget(field)
        card.body.addLayout(row(Button("Open", lambda: self._outside.reopen(field.text)), None))
        self._content.addWidget(card)
        self._outside.told("fail", "Cannot be opened")

    def _on_looked(self, seen: Look) -> None:
        self.header.show_for(encrypted=any(one.is_encrypted for one in seen.platforms))
        total = sum(platform.size_bytes for platform in seen.platforms)
        names = ", ".join(platform.platform for platform in seen.platforms)
        short = Digest.parse(seen.digest).short
        facts = [TRANSPORT_NAMES[seen.transport], names, size_text(total), short]
        self.set_facts(" · ".join(part for part in facts if part))
        self.facts.setToolTip(seen.digest)
        clear(self._content)
        if seen.platforms:
            self._show_platforms(seen)
        self._content.addWidget(self._notes)
        self._notes.hide()
        self.banner.show_verdict("info", "Reading every layer…", "Digests and sizes are checked.")
        self._controls.append(
            self._jobs.start(
                self._verify,
                on_done=self._on_verified,
                on_error=self._on_failed,
                on_progress=self._on_progress,
                target=self._reference,
            )
        )

    def _show_platforms(self, seen: Look) -> None:
        columns = Columns(narrow_u=240)
        place = QVBoxLayout()
        place.setSpacing(theme.u(4))
        if len(seen.platforms) > 1:
            names = [platform.platform for platform in seen.platforms]
            switch = Segmented(names, name="Platform")
            switch.chosen.connect(lambda name: self._show(place, seen.platforms[names.index(name)]))
            columns.left.addWidget(switch)
        columns.left.addLayout(place)
        self._readable = Card("What still can be read")
        columns.right.addWidget(self._readable)
        columns.right.addWidget(self._signatures)
        self._show(place, seen.platforms[0])
        self._content.addWidget(columns)

    def _show(self, place: QVBoxLayout, platform: PlatformLook) -> None:
        clear(place)
        own = sum(1 for item in platform.rows if item.origin == "own")
        note = f"{len(platform.rows)} layers, {size_text(platform.size_bytes)}"
        if platform.base.count is not None:
            note += f"; {own} are yours" + (", by a guess" if platform.base.guessed else "")
        table = LayerTable()
        table.show_rows(platform.rows)
        layers = Card("Layers", note=note, action=_origin_switch(platform, table))
        layers.body.addWidget(table)
        place.addWidget(layers)
        runs = Card("What it runs")
        runs.body.addWidget(Facts(_runs(platform), mono=frozenset({"Starts", "Work folder"})))
        place.addWidget(runs)
        clear(self._readable.body)
        self._readable.body.addWidget(
            label("Encryption hides layers. It never hides these.", "note")
        )
        self._readable.body.addWidget(FindingList(platform.readable))

    def _verify(self, control: Control) -> Report:
        with open_source(self._reference, control=control) as source:
            return verify(source, ring=KeyRing(), control=control)

    def _on_progress(self, progress: Progress) -> None:
        done, total = size_text(progress.done_bytes), size_text(progress.total_bytes)
        self.banner.show_verdict("info", f"{progress.step}…", f"{done} of {total}")

    def _on_verified(self, report: Report) -> None:
        scope = "Digests and sizes are right."
        if report.verdict is Verdict.FAIL and any(x.id == "IMG-DIGEST" for x in report.findings):
            scope = "Do not use it before you know why."
        self.banner.show_verdict(report.verdict.value, report.sentence, scope)
        self._outside.told(report.verdict.value, report.sentence)
        self.header.show_pin(report.signatures)
        clear(self._signatures.body)
        show_signatures(self._signatures.body, report.signatures)
        hidden = {"IMG-NOT-ENCRYPTED", "IMG-NO-KEY", "IMG-NO-PUBLIC-KEY", "IMG-NOT-SIGNED"}
        others = [item for item in report.findings if item.id not in hidden]
        clear(self._notes.body)
        self._notes.body.addWidget(FindingList(others))
        self._notes.setVisible(bool(others))


def _origin_switch(platform: PlatformLook, table: LayerTable) -> Segmented | None:
    """Which layers the table shows; nothing to choose when they are all from one place."""
    if {item.origin for item in platform.rows} != {"base", "own"}:
        return None
    origins = {"All": ("base", "own"), "Base": ("base",), "Yours": ("own",)}
    switch = Segmented(list(origins), name="Layers")
    switch.chosen.connect(
        lambda word: table.show_rows([x for x in platform.rows if x.origin in origins[word]])
    )
    return switch


def show_signatures(body: QVBoxLayout, signatures: Sequence[Evidence]) -> None:
    """Show each signature with its mark, or that there is none."""
    if not signatures:
        body.addLayout(row(IconLabel("fail"), label("Not signed", "strong")))
        body.addWidget(label("A cluster cannot tell this image from a forged one.", "note"))
    for item in signatures:
        words = {"valid": f"Valid, by {item.key}", "invalid": "Not valid", "unknown": "Not checked"}
        mark = IconLabel(_SIGNATURE_MARK[item.status.value])
        body.addLayout(row(mark, label(words[item.status.value], "strong")))
        if item.identity:
            body.addWidget(label(f"For {item.identity}", "dim"))
        if item.reason:
            body.addWidget(label(item.reason, "note"))


def _runs(platform: PlatformLook) -> list[tuple[str, str]]:
    config, base = platform.config, platform.base
    starts = " ".join((*config.entrypoint, *config.command))
    how = "" if base.count is None and not base.name else base.how
    facts = [
        ("Starts", starts or "nothing by itself"),
        ("As user", config.user or "root (none is named)"),
        ("Work folder", config.working_dir or "/"),
        ("Built", moment_text(config.created)),
        ("Base", f"{base.name}, {how}" if base.name and how else base.name or how),
    ]
    return [(name, clean(value, limit=200)) for name, value in facts if value]
