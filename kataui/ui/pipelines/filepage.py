"""A file that somebody has: what is wrong with it, and the way to Kata."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QSizePolicy, QStackedWidget

from kataui.files import clean, count_text
from kataui.findings import Finding, by_severity
from kataui.pipelines import checks, crds
from kataui.pipelines.adopt.save import Saved
from kataui.pipelines.adopt.wish import Wish
from kataui.ui import theme
from kataui.ui.commandtext import Options, command
from kataui.ui.jobs import Jobs
from kataui.ui.pipelines.adoptpage import AdoptPage
from kataui.ui.pipelines.checker import Checker
from kataui.ui.pipelines.examine import verdict
from kataui.ui.pipelines.findingsbox import FindingsBox, counted
from kataui.ui.pipelines.looking import Looked, look
from kataui.ui.telling import problem_words
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, hairline
from kataui.ui.widgets.codeview import CodeView
from kataui.ui.widgets.page import Page
from kataui.ui.words import tr

_LOWEST_U = 100


@dataclass(frozen=True, slots=True)
class Outside:
    """What the page tells: verdict and sentence, problems, what is done."""

    told: Callable[[str, str], None]
    problem: Callable[[str, str], None]
    done: Callable[[str], None]
    keys: Callable[[], None]


class _LookPage(Page):
    """The verdict, the file with its marks, the findings."""

    keys = ("F8 Next finding",)

    def __init__(
        self,
        path: Path,
        adopt: Callable[[], None],
        again: Callable[[], None],
        know: Callable[[], None],
    ) -> None:
        self.adopt_button = Button("Put it on Kata…", adopt, icon="pipeline", kind="primary")
        self.adopt_button.set_reason("It is being read.")
        check = Button("Check again", again)
        self.know_button = Button("Know its kinds", know)
        self.know_button.hide()
        super().__init__(
            clean(path.name, limit=80),
            clean(str(path), limit=200),
            actions=[self.know_button, check, self.adopt_button],
        )
        self.scroller.use_all()
        self.banner = VerdictBanner()
        self.banner.show_verdict("info", "Reading and checking…")
        self.body.addWidget(self.banner)
        card = Card()
        card.layout().setContentsMargins(1, theme.u(1), 1, theme.u(1))  # type: ignore[union-attr]
        card.body.setSpacing(0)
        self.code = CodeView(clean(path.name, limit=80))
        self.findings = FindingsBox(fields=False)
        self.findings.to_line.connect(self._go_to)
        for part in (self.code, hairline(), self.findings):
            card.body.addWidget(part)
        card.body.setStretch(0, 3)
        card.body.setStretch(2, 2)
        card.setMinimumHeight(theme.u(_LOWEST_U))
        card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.body.addWidget(card, 1)
        self._shown: tuple[Finding, ...] = ()
        self._place = -1
        for keys, by in (("F8", 1), ("Shift+F8", -1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(partial(self._step, by))

    def _go_to(self, finding: Finding) -> None:
        if finding.location is not None and finding.location.line:
            self.code.go_to(finding.location.line)
            self.code.setFocus()

    def _step(self, by: int) -> None:
        found = [one for one in self._shown if one.location and one.location.line]
        if found:
            self._place = (max(self._place, -1 if by > 0 else 0) + by) % len(found)
            self._go_to(found[self._place])

    def show_looked(self, looked: Looked) -> None:
        """Show a file and what was found."""
        self._shown = looked.findings
        self.code.show_text(looked.text.removesuffix("\n"), looked.language)
        self.code.show_findings(looked.findings)
        self.findings.show_findings(looked.findings)
        self.banner.show_verdict(verdict(looked.findings), *sentence(looked))
        self.adopt_button.set_reason(looked.why_not)
        self.know_button.setVisible(looked.crds)


def sentence(looked: Looked) -> tuple[str, str]:
    """What is the case, and what can be done or was not looked at."""
    words = "Nothing is wrong with it as far as it was checked."
    if looked.findings:
        first = clean(by_severity(looked.findings)[0].message, limit=200)
        words = first if len(looked.findings) == 1 else f"{counted(looked.findings)}: {first}"
    if looked.adopt is None and looked.why_not in words:
        scope = "It can be put on Kata once it can be read."
    elif looked.adopt is None:
        scope = f"It cannot be put on Kata here: {looked.why_not}"
    elif looked.adopt.changes:
        many = len(looked.adopt.changes)
        scope = f"{looked.adopt.system}. {count_text(many, 'change')} would put it on Kata."
    else:
        scope = f"{looked.adopt.system}. Nothing has to change for Kata."
    return words, f"{scope} Only its first lines are shown." if looked.cut else scope


class FilePage(QStackedWidget):
    """First what is wrong with it; putting it on Kata is a page of its own."""

    def __init__(self, jobs: Jobs, path: Path, outside: Outside, *, adopt: bool = False) -> None:
        super().__init__()
        self.setProperty("look", "page")
        self.setAccessibleName(tr(clean(path.name, limit=80)))
        self._jobs, self._path, self._outside = jobs, path, outside
        self._adopt_at_once = adopt
        self.looked: Looked | None = None
        self.adopting: AdoptPage | None = None
        self.look = _LookPage(path, self.adopt, self.check, self.know)
        self.addWidget(self.look)
        self._checker = Checker(jobs, self, f"look:{id(self)}")
        self._checker.done.connect(self._on_looked)
        self._checker.failed.connect(self._on_failed)
        self.check()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of what is shown."""
        found: tuple[str, ...] = getattr(self.currentWidget(), "keys", ())
        return found

    def as_command(self) -> list[str]:
        """As words: checking, or what puts it on Kata."""
        if self.adopting is None:
            return command("pipeline check", [str(self._path)], {})
        adopting = self.adopting
        options: Options = {
            "--runtime-class": adopting.wanted_class,
            "--only": () if adopting.takes_all else sorted(adopting.chosen),
            "--write": True,
        }
        return command("pipeline adopt", [str(self._path)], options)

    def take_focus(self) -> None:
        """To the way to Kata."""
        if self.adopting is not None:
            self.adopting.take_focus()
        else:
            self.look.adopt_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def check(self) -> None:
        """Read the file again, and check it."""
        options = checks.Options()
        self._checker.ask(partial(look, self._path, options, Wish()), at_once=True)

    def know(self) -> None:
        """Keep the CRDs of the file for all checks."""
        if self.looked is None:
            return
        data, name = self.looked.data, self._path.name
        self._jobs.start(
            lambda _: crds.keep(data, name),
            on_done=lambda kinds: self._outside.done(f"Checks know {', '.join(kinds[:4])} now."),
            on_error=lambda error: self._outside.problem(*problem_words(error)),
        )

    def _on_looked(self, outcome: object) -> None:
        if not isinstance(outcome, Looked):
            return
        self.looked = outcome
        self.look.show_looked(outcome)
        self._outside.told(verdict(outcome.findings), sentence(outcome)[0])
        if self._adopt_at_once and outcome.adopt is not None:
            self.adopt()
        self._adopt_at_once = False

    def _on_failed(self, error: Exception) -> None:
        message, hint = problem_words(error)
        self.look.banner.show_verdict("fail", message, hint, word="Not opened")
        self.look.findings.say("Nothing could be checked")
        self.look.adopt_button.set_reason("It could not be read.")
        self._outside.told("unknown", message)

    def adopt(self) -> None:
        """Show what would have to change; as soon as the file is read, when it is not yet."""
        if self.looked is None:
            self._adopt_at_once = True
            return
        if self.looked.adopt is None:
            return
        self._leave_adopting()
        page = AdoptPage(self._jobs, self.looked, self.looked.adopt, self._back)
        page.saved = self._on_saved
        page.problem = self._outside.problem
        self.adopting = page
        self.addWidget(page)
        self.setCurrentWidget(page)
        page.take_focus()
        self._outside.keys()

    def _leave_adopting(self) -> None:
        if self.adopting is not None:
            self.adopting.on_closed()
            self.removeWidget(self.adopting)
            self.adopting.deleteLater()
            self.adopting = None

    def _back(self) -> None:
        self._leave_adopting()
        self.take_focus()
        self._outside.keys()

    def _on_saved(self, saved: Saved) -> None:
        backup = f" The old one is {clean(saved.backup.name)}." if saved.backup else ""
        self._outside.done(f"{clean(saved.path.name)} is saved.{backup}")
        self._back()
        self.check()

    def on_closed(self) -> None:
        """Stop what is going on."""
        self._checker.stop()
        self._leave_adopting()
