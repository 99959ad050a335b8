"""Work that a page starts: checks, comparison, report, redaction, exports."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QScrollArea, QWidget

from kataui.errors import KatauiError
from kataui.isolation.alerts import Rule
from kataui.isolation.checks.check import Checked, Scene
from kataui.isolation.measure import Comparison, compare, stretches
from kataui.isolation.player import Player
from kataui.isolation.redact import Preview, redact
from kataui.isolation.reporting import write_report
from kataui.isolation.store import Store
from kataui.progress import Control
from kataui.ui.commandtext import command
from kataui.ui.isolation import export
from kataui.ui.isolation.deck import Deck
from kataui.ui.isolation.deckwork import problem_of
from kataui.ui.jobs import Jobs

Choose = Callable[[str, str, Callable[[Path], None]], None]


@dataclass(frozen=True, slots=True)
class Outside:
    """What a page tells the window: verdict and sentence, another status, problems, results.

    ``choose`` lets somebody choose where a file goes: title, suffix, and what to do then;
    ``measure`` shows the pipeline that measures what isolation costs.
    """

    told: Callable[[str, str], None]
    status: Callable[[], None]
    problem: Callable[[str], None]
    done: Callable[[str], None]
    choose: Choose
    open_another: Callable[[], None]
    alert: Callable[[str], None]
    measure: Callable[[], None]
    rules: tuple[Rule, ...]


class PageWork:
    """Runs in jobs; results come back in the UI thread."""

    def __init__(self, jobs: Jobs, deck: Deck, outside: Outside) -> None:
        self._jobs, self._deck, self._outside = jobs, deck, outside
        self._checking = False

    def as_command(self) -> list[str]:
        """The command line that judges the same source, as words."""
        return command("isolation check", [], {"--source": self._deck.source.text})

    def _failed(self, error: Exception) -> None:
        self._outside.problem(problem_of(error))

    def _written(self, path: Path) -> None:
        self._outside.done(f"Written: {path}")

    def check(self, then: Callable[[list[Checked]], None]) -> None:
        """Look at the host's settings as they are in the picture that is shown."""
        picture = self._deck.picture
        if picture is None or self._checking:
            return
        self._checking = True

        def work(control: Control) -> list[Checked]:
            del control
            from kataui.isolation.checks.all import run_all  # noqa: PLC0415 - a hundred checks

            return run_all(Scene(picture.view, picture.span))

        def done(found: list[Checked]) -> None:
            self._checking = False
            then(found)

        def failed(error: Exception) -> None:
            self._checking = False
            self._failed(error)

        self._deck.in_turn(work, done, failed)

    def compare(self, then: Callable[[Comparison], None], failed: Callable[[str], None]) -> None:
        """Compare what lies after the markers A and B."""
        markers, end_s = list(self._deck.markers), self._deck.range_us[1] / 1e6

        def work(store: Store, control: Control) -> Comparison:
            a, b = stretches(markers, end_s, "A", "B")
            player_a, player_b = Player(store), Player(store)
            return compare(player_a, a, player_b, b, on_time=lambda _at_us: control.check())

        self._deck.study(work, then, lambda error: failed(problem_of(error)))

    def keep(self, minutes: int | None) -> None:
        """Save the last minutes of a live source."""
        title = "Keep the last minutes"
        self._outside.choose(
            title,
            ".kataui-rec",
            lambda path: self._deck.keep(str(path), minutes, self._written),
        )

    def report(self) -> None:
        """Write the HTML report of a recording, or of what the ring holds."""
        name = self._deck.source.name

        def begin(path: Path) -> None:
            def work(store: Store, control: Control) -> Path:
                return write_report(store, path, name=name, control=control)

            self._deck.study(work, self._written, self._failed)

        self._outside.choose("Write a report", ".html", begin)

    def preview(self, then: Callable[[Preview], None], failed: Callable[[str], None]) -> None:
        """What a copy without names would lack."""
        path = Path(self._deck.source.text)
        self._jobs.start(
            lambda _control: redact(path, None),
            on_done=then,
            on_error=lambda error: failed(problem_of(error)),
        )

    def redact(self) -> None:
        """Write the copy without names."""
        source = Path(self._deck.source.text)

        def begin(path: Path) -> None:
            def work(control: Control) -> Path:
                del control
                redact(source, path)
                return path

            self._jobs.start(work, on_done=self._written, on_error=self._failed)

        self._outside.choose("Write a copy without names", ".kataui-rec", begin)

    def export_table(self, text: str) -> None:
        """Save a table."""
        self._export("table", ".csv", lambda path: export.write_text(path, text))

    def export_picture(self, view: QWidget, suffix: str) -> None:
        """Save a view as it looks now, with what is scrolled away."""
        inner = (view.widget() if isinstance(view, QScrollArea) else None) or view
        title = f"{self._deck.source.name}, kataui"
        if suffix == ".svg":
            self._export("picture", suffix, lambda path: export.svg(inner, path, title))
        else:
            self._export("picture", suffix, lambda path: export.png(inner, path))

    def _export(self, what: str, suffix: str, write: Callable[[Path], None]) -> None:
        def begin(path: Path) -> None:
            try:
                write(path)
            except KatauiError as error:
                self._failed(error)
            else:
                self._written(path)

        self._outside.choose(f"Export the {what}", suffix, begin)
