"""The protect wizard: pages of the window, one question each."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from kataui.errors import Cancelled, KatauiError
from kataui.files import clean, write_new
from kataui.findings import Verdict
from kataui.images.keymaking import describe_key
from kataui.images.look import Look, look
from kataui.images.protect import Protected
from kataui.progress import Control
from kataui.ui import theme
from kataui.ui.commandtext import broken, script
from kataui.ui.images.destinationstep import DestinationStep
from kataui.ui.images.flow import (
    STEPS,
    Flow,
    Step,
    answer_text,
    first_problem,
    no_way_back,
    step_problems,
)
from kataui.ui.images.layersstep import LayersStep
from kataui.ui.images.proofstep import ProofStep, worst_verdict
from kataui.ui.images.recipientsstep import RecipientsStep
from kataui.ui.images.signaturestep import SignatureStep
from kataui.ui.images.sourcestep import SourceStep
from kataui.ui.images.steppage import StepPage
from kataui.ui.images.summarystep import SummaryStep
from kataui.ui.images.worklines import Outcome, plan, protect_all
from kataui.ui.images.workstep import WorkStep
from kataui.ui.jobs import Jobs
from kataui.ui.telling import problem_words
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import hairline, row
from kataui.ui.widgets.choice import Segmented
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.confirm import AskSecret
from kataui.ui.widgets.fields import choose_path
from kataui.ui.widgets.steps import Step as ShownStep
from kataui.ui.widgets.steps import StepList
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_NARROW_U = 230
_ENTER_GOES_ON = {Step.LAYERS, Step.SIGNATURE, Step.DESTINATION}


@dataclass(frozen=True, slots=True)
class Outside:
    """What the wizard asks of the window.

    ``prove`` gets an image and the signer's public key; ``named`` a title and a verdict.
    """

    open_image: Callable[[str], None]
    prove: Callable[[str, str], None]
    deploy: Callable[[str], None]
    another: Callable[[], None]
    named: Callable[[str, str], None]
    done: Callable[[list[Protected]], None]
    close: Callable[[], None]


class ProtectWizard(QWidget):
    """Shell and conductor: pages copy answers, ``flow`` has the rules, the core does the work."""

    def __init__(self, jobs: Jobs, flow: Flow, outside: Outside) -> None:
        super().__init__()
        self.setProperty("look", "page")
        self.setAccessibleName(tr("Protect an image"))
        self.flow = flow
        self._jobs, self._outside = jobs, outside
        self._control: Control | None = None
        self._finished: list[Protected] = []
        self._reached = 0
        self._code_wanted = False
        self._build_pages()
        self._build_shell()
        self.set_expert("Expert" if flow.expert else "Guided")
        self.go(Step.SOURCE)

    def _build_pages(self) -> None:
        self.work_step = WorkStep(self._keep, self._cancel)
        self._proof = ProofStep(self._keep, self._outside.open_image, self._outside.deploy)
        pages: tuple[StepPage, ...] = (
            SourceStep(self._keep),
            LayersStep(self._keep),
            RecipientsStep(self._keep),
            SignatureStep(self._keep),
            DestinationStep(self._keep),
            SummaryStep(self._keep, self.go),
            self.work_step,
            self._proof,
        )
        self.pages = {page.step: page for page in pages}
        self._stack = QStackedWidget()
        for page in pages:
            self._stack.addWidget(page)
            if page.step in _ENTER_GOES_ON:
                for edit in page.findChildren(QLineEdit):
                    edit.returnPressed.connect(self.go_on)

    def _build_shell(self) -> None:
        self._title = label("Protect an image", "title")
        self._mode = Segmented(["Guided", "Expert"], name="Detail")
        self._mode.chosen.connect(self.set_expert)
        close = Button("Close", self._outside.close, icon="x", name="Close the wizard")
        header = row(self._title, self._mode, close)
        header.setContentsMargins(theme.u(7), theme.u(4), theme.u(7), theme.u(4))
        self._steps = StepList(len(STEPS))
        self._steps.asked.connect(lambda index: self.go(STEPS[index]))
        self._back = Button("Back", self._go_back, icon="left")
        self._busy = label("", "note", wrap=False)
        self._command = Button("Show as command", self._toggle_command, icon="term")
        self._script = Button("Save as script…", self._choose_script, icon="save")
        self._next = Button("Continue", self.go_on, kind="primary")
        footer = row(self._back, self._busy, None, self._command, self._script, self._next)
        footer.setContentsMargins(theme.u(7), theme.u(3), theme.u(7), theme.u(3))
        self._code = CodeBox(name="The command so far")
        self._code.setContentsMargins(theme.u(7), theme.u(2), theme.u(7), theme.u(2))
        self._code.hide()
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self._stack, 1)
        right.addWidget(self._code)
        right.addWidget(hairline())
        right.addLayout(footer)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self._steps)
        middle.addLayout(right, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(header)
        outer.addWidget(hairline())
        outer.addLayout(middle, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the steps are numbers, and a button is its icon."""
        super().resizeEvent(event)
        narrow = self.width() < theme.u(_NARROW_U)
        self._steps.set_narrow(narrow=narrow)
        for button in (self._command, self._script):
            button.set_brief(brief=narrow)

    @property
    def step(self) -> Step:
        """The step that is shown."""
        page = self._stack.currentWidget()
        return page.step if isinstance(page, StepPage) else Step.SOURCE

    @property
    def page(self) -> StepPage:
        """The page that is shown."""
        return self.pages[self.step]

    def _keep(self) -> None:
        """An answer changed: keep it, and show what follows from it."""
        before = self.flow
        self.flow = self.page.store(self.flow)
        if self.flow != before:
            self._reached = min(self._reached, STEPS.index(Step.SUMMARY))
        if self.step is Step.LAYERS:
            self.page.fill(self.flow)
            self.flow = self.page.store(self.flow)  # with the base that the page suggests
        self._show_state()

    def go(self, step: Step) -> None:
        """Show a step, with the answers as they are."""
        if self._control is not None and step is not Step.PROTECT:
            return
        self._stack.setCurrentWidget(self.pages[step])
        self._reached = max(self._reached, STEPS.index(step))
        self.page.fill(self.flow)
        if step is Step.DESTINATION:
            self.flow = self.page.store(self.flow)  # what the page suggests counts
        self.page.verticalScrollBar().setValue(0)
        self._busy.setText("")
        self._show_state()
        self.take_focus()

    def take_focus(self) -> None:
        """To the first field that lacks an answer; else to the button that goes on.

        While the work goes on, not to Cancel: Enter pressed once too often would stop it.
        """
        if self.step is Step.PROTECT:
            self._steps.take_focus(STEPS.index(Step.PROTECT))
            return
        wrong = step_problems(self.flow, self.step)
        field = next((self.page.fields[name] for name in wrong if name in self.page.fields), None)
        target = self._next if field is None else field.control
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_state(self) -> None:
        current, working = STEPS.index(self.step), self._control is not None
        shown = []
        for index, step in enumerate(STEPS):
            done = index < self._reached and not step_problems(self.flow, step)
            if self._finished or step in {Step.PROTECT, Step.PROOF}:
                done = bool(self._finished) and step is not Step.PROOF
            reachable = index <= self._reached and not working and step is not Step.PROTECT
            answer = answer_text(self.flow, step) if index < self._reached else ""
            shown.append(ShownStep(step.value, answer, done, index == current, reachable))
        self._steps.show_steps(shown)
        self._show_buttons(current, working=working)
        self._code.set_text(self._commands())

    def _show_buttons(self, current: int, *, working: bool) -> None:
        words = {Step.SUMMARY: "Protect now", Step.PROOF: "Done"}
        if self.step is Step.PROOF and self._unproved() is not None:
            words[Step.PROOF] = "Prove with a key…"
        self._next.set_words(words.get(self.step, "Continue"))
        self._next.setVisible(self.step is not Step.PROTECT)
        again = self.step is Step.PROOF and bool(self._finished)
        self._back.set_words("Protect another…" if again else "Back", icon="" if again else "left")
        self._back.set_reason(no_way_back(current, working=working))
        self._command.setVisible(current < STEPS.index(Step.SUMMARY))
        self._script.setVisible(self.step is Step.SUMMARY)
        self._code.setVisible(self._code_wanted and self._command.isVisibleTo(self))

    def _commands(self) -> str:
        return broken([shlex.join(each.as_command()) for each in self.flow.each()])

    def _unproved(self) -> Protected | None:
        """The image whose proof lacks a private key, when there is only one image."""
        one = self._finished[0] if len(self._finished) == 1 else None
        return one if one is not None and one.proof.verdict is Verdict.UNKNOWN else None

    def set_expert(self, mode: str) -> None:
        """Change the detail, "Guided" or "Expert"; no answer changes."""
        self.flow = replace(self.flow, expert=mode == "Expert")
        self._mode.choose(mode)
        for page in self.pages.values():
            page.show_expert(on=self.flow.expert)

    def _toggle_command(self) -> None:
        self._code_wanted = not self._code_wanted
        self._command.set_words("Hide command" if self._code_wanted else "Show as command")
        self._show_state()

    def _choose_script(self) -> None:
        choose_path(self, "Save as script", "save", "protect.sh", self._save_script)

    def _save_script(self, path: str) -> None:
        try:
            write_new(Path(path), script(self._commands()).encode(), mode=0o755)
        except KatauiError as error:
            self._busy.setText(" ".join(problem_words(error)))
            return
        self._busy.setText(f"Saved as {clean(Path(path).name, limit=60)}.")

    def _go_back(self) -> None:
        if self.step is Step.PROOF and self._finished:
            self._outside.another()
            return
        index = STEPS.index(self.step)
        target = STEPS[max(0, index - 1)]
        self.go(Step.SUMMARY if target is Step.PROTECT else target)

    def go_on(self) -> None:
        """Continue: keep the answers, say what is wrong, or go to the next page."""
        if self.step is Step.PROOF:
            self._leave()
            return
        self.flow = self.page.store(self.flow)
        wrong = step_problems(self.flow, self.step)
        self.page.show_problems(wrong)
        if wrong:
            self._show_state()
            return
        base = self.flow.answers.base
        if self.step is Step.SOURCE and not self.flow.looks:
            self._look(Step.LAYERS)
        elif self.step is Step.LAYERS and base and not base.isdecimal():
            self._look(Step.RECIPIENTS)  # the base is an image: compare with it now
        elif self.step is Step.SUMMARY:
            self._start()
        else:
            self.go(STEPS[STEPS.index(self.step) + 1])

    def _leave(self) -> None:
        """Done; or, when the key was missing, on to verifying with one."""
        unproved = self._unproved()
        if unproved is None:
            self._outside.close()
            return
        public = Path(self.flow.answers.sign_key).with_suffix(".pub")
        self._outside.prove(unproved.written.reference, str(public) if public.is_file() else "")

    def _look(self, then: Step) -> None:
        """Open the images, to know their layers; then go on."""
        sources, base = self.flow.sources, self.flow.answers.base
        self._next.set_reason("The images are being opened.")
        self._busy.setText("Opening…")

        def work(control: Control) -> tuple[Look, ...]:
            return tuple(look(source, control, base=base) for source in sources)

        def opened(looks: tuple[Look, ...]) -> None:
            self._end_look()
            self.flow = replace(self.flow, looks=looks)
            name = f"Protect {answer_text(self.flow, Step.SOURCE)}"
            self._title.setText(name)
            self._outside.named(name, "")
            self.go(then)

        self._jobs.start(work, on_done=opened, on_error=self._on_look_failed)

    def _end_look(self) -> None:
        self._next.set_reason("")
        self._busy.setText("")

    def _on_look_failed(self, error: Exception) -> None:
        self._end_look()
        text = " ".join(problem_words(error))
        field = "source" if self.step is Step.SOURCE else "layers"
        self.page.show_problems({field: text.strip()})

    def _start(self) -> None:
        wrong = first_problem(self.flow)
        if wrong is not None:
            self.go(wrong)
            self.page.show_problems(step_problems(self.flow, wrong))
            return
        paths = (self.flow.answers.sign_key, *self.flow.answers.keys)
        locked = [
            path for path in paths if Path(path).is_file() and describe_key(Path(path)).locked
        ]
        self._unlock(list(dict.fromkeys(locked)), {})

    def _unlock(self, locked: list[str], secrets: dict[str, str]) -> None:
        """Ask for one passphrase after the other, then begin."""
        if not locked:
            self.run(secrets)
            return
        name = Path(locked[0]).name
        prompt = f"Passphrase of {name}"

        def keep(secret: str) -> None:
            self._unlock(locked[1:], {**secrets, prompt: secret})

        AskSecret(self, prompt, keep).open()

    def run(self, secrets: dict[str, str]) -> None:
        """Do what was asked for; ``secrets`` maps prompts to passphrases."""
        self._finished = []
        self.work_step.begin(plan(self.flow))
        self._control = self._jobs.start(
            partial(protect_all, self.flow.each(), secrets),
            on_done=self._on_protected,
            on_error=self._on_failed,
            on_progress=self.work_step.show_progress,
            target=self.flow.answers.destination,
        )
        self.go(Step.PROTECT)

    def _cancel(self) -> None:
        if self._control is not None:
            self._control.cancel()

    def on_closed(self) -> None:
        """The page is closed: its work is cancelled."""
        self._cancel()

    def _on_protected(self, outcomes: list[Outcome]) -> None:
        self._control = None
        self.work_step.end()
        self._finished = [item.done for item in outcomes if item.done is not None]
        if len(outcomes) == 1 and outcomes[0].done is not None:
            self._proof.show_done(outcomes[0].done)
        else:
            self._proof.show_outcomes(outcomes)
        self.go(Step.PROOF)
        name = clean(Path(self.flow.answers.destination).name, limit=60)
        failed = len(self._finished) < len(outcomes)
        self._outside.named(name, "fail" if failed else worst_verdict(self._finished))
        self._outside.done(self._finished)

    def _on_failed(self, error: Exception) -> None:
        self._control = None
        self.work_step.end()
        if isinstance(error, Cancelled):
            self.go(Step.SUMMARY)
            self._busy.setText("Cancelled. Nothing was written.")
            return
        self._proof.show_error(error)
        self.go(Step.PROOF)
        self._outside.named(self._title.text(), "fail")
