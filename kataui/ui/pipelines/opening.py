"""The tab Pipelines: templates, forms and files, and the pages that belong to them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from kataui import settings
from kataui.errors import KatauiError
from kataui.files import clean
from kataui.pipelines import checks
from kataui.pipelines.answersfile import FILE_NAME, fit, read_file
from kataui.pipelines.catalogue import Catalogue, load
from kataui.pipelines.model import Stage, Template, Value
from kataui.ui.pipelines import filepage
from kataui.ui.pipelines.drafts import Draft, load_drafts, new_draft, save_draft
from kataui.ui.pipelines.entrance import TAB, form_key
from kataui.ui.pipelines.filepage import FilePage
from kataui.ui.pipelines.formstate import FormState
from kataui.ui.pipelines.gallery import Actions, GalleryPage, GalleryTab
from kataui.ui.pipelines.pipelinepage import Keeping, MissingTemplate, PipelinePage
from kataui.ui.sideline import Entry
from kataui.ui.telling import problem_words
from kataui.ui.widgets.fields import choose_path
from kataui.ui.window import Window


class Pipelines(QObject):
    """Makes and shows the pages of the tab; one page a form, one a file."""

    recent_changed = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._catalogue: Catalogue | None = None
        self._tab: GalleryTab | None = None
        self._files: dict[str, str] = {}
        self._count = 0

    @property
    def catalogue(self) -> Catalogue:
        """All templates, read once."""
        if self._catalogue is None:
            self._catalogue = load()
        return self._catalogue

    def make_tab(self) -> QWidget:
        """The gallery."""
        self._tab = GalleryTab(self._make_gallery)
        return self._tab

    def _make_gallery(self) -> GalleryPage:
        self._catalogue = None  # read again
        actions = Actions(
            open_template=self.open_template,
            adopt=self.choose,
            open_paths=self.open_paths,
            reopen=self.reopen,
            stages=self.stages,
            reload=lambda: self._tab.read_again() if self._tab else None,
        )
        return GalleryPage(self.catalogue, self._closed(), actions)

    @staticmethod
    def stages(template: Template) -> Sequence[Stage]:
        """What the stages of a template are with its usual answers; none when it fails."""
        rendered = FormState(template, {}, kubernetes_for(template)).view.rendered
        return rendered.stages if rendered else ()

    @staticmethod
    def _closed() -> list[Draft]:
        return [draft for draft in load_drafts() if not draft.open]

    def open_template(self, template: Template, values: Mapping[str, Value] | None = None) -> None:
        """A new form, with some answers if they are known."""
        self._open_form(new_draft(template.id, self._title(template), values or {}))

    def _title(self, template: Template) -> str:
        """Its title, with a number when it is open already."""
        sidebar = self._window.sidebar
        shown = sidebar.keys()
        taken = {sidebar.entry(key).title for key in shown}
        title, number = template.title, 1
        while title in taken:
            number += 1
            title = f"{template.title} {number}"
        return title

    def reopen(self, draft: Draft) -> None:
        """A form that was closed."""
        self._open_form(save_draft(replace(draft, open=True)))

    def _open_form(self, draft: Draft) -> None:
        key = form_key(draft)
        if not self._window.has_page(key):
            entry = Entry(draft.title, mark=draft.mark)
            self._window.add_page(key, entry, partial(self.make_form, draft), under=TAB)
        self._window.go(key)

    def make_form(self, draft: Draft) -> QWidget:
        """The page of a form, with the answers that were kept."""
        window, key = self._window, form_key(draft)
        try:
            template = self.catalogue.get(draft.template)
        except KatauiError as error:
            return MissingTemplate(draft.title or draft.template, error.message)
        known = draft.kubernetes in checks.KUBERNETES_VERSIONS
        version = draft.kubernetes if known else kubernetes_for(template)
        state = FormState(template, draft.values, version)
        keeping = Keeping(
            title=lambda title, mark: window.set_entry(key, Entry(title, mark=mark)),
            status=lambda: window.show_status(key),
            problem=window.show_problem,
            network=window.set_network,
            shown=lambda: window.go(key),
            closed=self._show_closed,
            remember=self._remember,
            watch=lambda: window.go("isolation"),
        )
        return PipelinePage(window.jobs, state, draft, keeping)

    def _show_closed(self) -> None:
        if self._tab is not None:
            self._tab.page.show_closed(self._closed())

    def choose(self) -> None:
        """Let the user choose a pipeline to put on Kata."""
        choose_path(self._window, "Open a pipeline or a manifest", "open", "", self.adopt)

    def adopt(self, path: str) -> None:
        """Show what would put a pipeline or a manifest on Kata."""
        if self._answers(path):
            self._open_answers(Path(path))
        else:
            self._open_file(path, adopt=True)

    def open_paths(self, paths: list[str]) -> None:
        """Open files that were dropped, chosen or handed over."""
        for path in paths:
            if self._answers(path):
                self._open_answers(Path(path))
            else:
                self._open_file(path, adopt=False)

    @staticmethod
    def _answers(path: str) -> bool:
        return Path(path).name == FILE_NAME or Path(path).is_dir()

    def _open_answers(self, path: Path) -> None:
        """A form with the answers of a folder that was exported."""
        folder = path if path.is_dir() else path.parent
        try:
            kept = read_file(path)
            template = self.catalogue.get(kept.answers.template)
            fitting = fit(template, kept)
        except KatauiError as error:
            self._window.show_problem(*problem_words(error))
            return
        draft = new_draft(template.id, self._title(template), fitting.values)
        place = str(folder.absolute())
        self._open_form(replace(draft, kubernetes=kept.kubernetes, folder=place))
        if fitting.notes:
            self._window.show_done(" ".join(fitting.notes))

    def _open_file(self, path: str, *, adopt: bool) -> None:
        """A page for a file; one that is open already comes forward."""
        window = self._window
        place = Path(path).absolute()
        same = (key for key, value in self._files.items() if value == str(place))
        known = next(filter(window.has_page, same), "")
        if known:
            window.go(known)
            page = window.page(known)
            if adopt and isinstance(page, FilePage):
                page.adopt()
            return
        self._count += 1
        key = f"pipelinefile:{self._count}"
        self._files[key] = str(place)
        title = clean(place.name, limit=60)

        def told(verdict: str, sentence: str) -> None:
            window.set_entry(key, Entry(title, mark=verdict))
            self._remember(place, verdict, sentence)

        outside = filepage.Outside(
            told=told,
            problem=window.show_problem,
            done=window.show_done,
            keys=lambda: window.go(key),
        )
        make = partial(FilePage, window.jobs, place, outside, adopt=adopt)
        window.add_page(key, Entry(title), make, under=TAB, path=str(place))
        window.go(key)

    def _remember(self, path: Path, verdict: str, sentence: str) -> None:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        item = settings.Recent(
            str(path.absolute()), "pipeline", verdict, clean(sentence, limit=120), now
        )
        settings.save(settings.remember(settings.load(), item))
        self.recent_changed.emit()


def kubernetes_for(template: Template) -> str:
    """The usual version, or the oldest that the template needs when that is newer."""
    needed = _minor(template.kubernetes)
    if needed <= _minor(checks.DEFAULT):
        return checks.DEFAULT
    return next(
        (text for text in checks.KUBERNETES_VERSIONS if _minor(text) >= needed), checks.NEWEST
    )


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
