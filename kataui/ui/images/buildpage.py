"""Build an image from folders, files, a base or a Containerfile."""

from functools import partial

from kataui.errors import KatauiError
from kataui.files import clean
from kataui.images.build import Addition, BuildAnswers, Built, build
from kataui.images.buildanswers import parse_label, parse_words, problems
from kataui.ui.commandtext import command
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.fields import Field, PathField, TextField
from kataui.ui.widgets.findings import FindingList
from kataui.ui.widgets.itemsfield import ItemsField
from kataui.ui.widgets.listbox import ItemList

_AGAIN = "Enter adds it; then comes the next."


class _Additions(Card):
    """Folders and files that go on top: three fields, and a list when there are several."""

    def __init__(self) -> None:
        super().__init__("What goes on top")
        self.source = PathField("Add a folder or file", mode="image")
        self.place = TextField("At this path in the image", placeholder="/srv/app")
        self.owner = TextField("Owned by", placeholder="0:0", help_text="Empty keeps its owner.")
        self._more: tuple[Addition, ...] = ()
        self._list = ItemList("What goes on top", empty="")
        self._list.removed.connect(self._remove)
        self._list.hide()
        another = Button("Add another", self._add, icon="plus")
        for part in (self._list, self.source, self.place, self.owner):
            self.body.addWidget(part)
        self.body.addLayout(row(another, None))

    @property
    def items(self) -> tuple[Addition, ...]:
        """All of them, in the order in which they are copied."""
        last = Addition(self.source.text, self.place.text or "/", self.owner.text)
        return (*self._more, *((last,) if last.source else ()))

    def _add(self) -> None:
        if not self.source.text:
            self.source.show_problem("Name a folder or a file.")
        self._more = self.items
        for field in (self.source, self.place, self.owner):
            field.set_text("")
        self._show()
        self.source.edit.setFocus()

    def _remove(self, key: str) -> None:
        self._more = tuple(item for i, item in enumerate(self._more) if str(i) != key)
        self._show()

    def _show(self) -> None:
        rows = [(str(i), f"{item.source} at {item.target}") for i, item in enumerate(self._more)]
        self._list.show_items(rows)
        self._list.setVisible(bool(rows))


class BuildPage(TaskPage):
    """The same as ``kataui image build``."""

    def __init__(self, jobs: Jobs) -> None:
        facts = "From a root file system, or a base and what goes on top of it. No daemon, no root."
        super().__init__(jobs, "Build an image", facts, verb="Build", icon="image")
        self.rootfs = PathField("Root file system", mode="image", help_text="A folder or a tar.")
        self.base = PathField(
            "Or a base image", mode="image", help_text="A folder or archive; PATH:TAG for one."
        )
        self.file = PathField("Or a Containerfile", help_text="buildah builds it, if installed.")
        self.additions = _Additions()
        self.remove = ItemsField(
            "Hide of the base",
            placeholder="/etc/motd",
            help_text=f"{_AGAIN} Its bytes stay in the base's layers, for whoever reads those.",
        )
        self.additions.body.addWidget(self.remove)
        self.target = PathField("Destination", mode="save", help_text="A new folder.")
        start = Card("What it begins with")
        for field in (self.rootfs, self.base, self.file):
            start.body.addWidget(field)
        self.add_around((start, self.additions), self._runs())
        self.add_fields(self.target)

    def _runs(self) -> Card:
        quoted = "As a shell would read it; a word with blanks stands in quotes."
        self.entrypoint = TextField(
            "Entrypoint", placeholder="/srv/app/start.sh", help_text=f"What runs. {quoted}"
        )
        self.command = TextField(
            "Command", placeholder="--port 8080", help_text="Its arguments, or what runs itself."
        )
        self.env = ItemsField(
            "Environment",
            placeholder="NAME=VALUE",
            help_text=f"{_AGAIN} No secrets: every host can read it.",
        )
        self.labels = ItemsField("Labels", placeholder="NAME=VALUE", help_text=_AGAIN)
        self.user = TextField(
            "User", placeholder="1000:1000", help_text="Empty: as the base has it, or root."
        )
        self.working_dir = TextField("Working folder", placeholder="/srv/app")
        self.platform = TextField(
            "Platform",
            placeholder="linux/amd64",
            help_text="Empty: as the base or this computer.",
        )
        card = Card("How it runs", note="what stays empty is as the base has it")
        fields = (self.entrypoint, self.command, self.env, self.labels, self.user)
        for field in (*fields, self.working_dir, self.platform):
            card.body.addWidget(field)
        return card

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        items = self.additions.items
        added = [":".join(filter(None, (one.source, one.target, one.owner))) for one in items]
        options = {
            "--base": self.base.text,
            "--rootfs": self.rootfs.text,
            "--add": added,
            "--remove": self.remove.items,
            "--containerfile": self.file.text,
            "--entrypoint": self.entrypoint.text,
            "--cmd": self.command.text,
            "--env": self.env.items,
            "--user": self.user.text,
            "--workdir": self.working_dir.text,
            "--label": self.labels.items,
            "--platform": self.platform.text,
        }
        return command("image build", [self.target.text or "DESTINATION"], options)

    def missing(self) -> dict[Field, str]:
        """What the core says of the answers, each at its field."""
        wrong = self._unreadable()
        if wrong:
            return wrong
        places: dict[str, Field] = {
            "destination": self.target,
            "containerfile": self.file,
            "add": self.additions.source,
        }
        for problem in problems(self.answers()):
            field = places.get(problem.field) or getattr(self, problem.field)
            wrong.setdefault(field, problem.text)
        return wrong

    def _unreadable(self) -> dict[Field, str]:
        wrong: dict[Field, str] = {}
        for field in (self.entrypoint, self.command):
            try:
                parse_words(field.text)
            except KatauiError as error:
                wrong[field] = str(error)
        try:
            self._labels()
        except KatauiError as error:
            wrong[self.labels] = str(error)
        return wrong

    def _labels(self) -> tuple[tuple[str, str], ...]:
        return tuple(parse_label(item) for item in self.labels.items)

    def answers(self) -> BuildAnswers:
        """What the fields say; raises ``ImageError`` for labels and words that cannot be read."""
        return BuildAnswers(
            destination=self.target.text,
            base=self.base.text,
            rootfs=self.rootfs.text,
            add=self.additions.items,
            remove=self.remove.items,
            containerfile=self.file.text,
            entrypoint=parse_words(self.entrypoint.text) or None,
            command=parse_words(self.command.text) or None,
            env=self.env.items,
            user=self.user.text,
            working_dir=self.working_dir.text,
            labels=self._labels(),
            platform=self.platform.text,
        )

    def work(self, secrets: dict[str, str]) -> Work:
        """Build into the destination."""
        del secrets
        return partial(build, self.answers())

    def show_result(self, outcome: object) -> None:
        """Say what was built, and what is worth knowing of it."""
        if isinstance(outcome, Built):
            text = f"Built {clean(str(outcome.path))} with {outcome.layers} layers."
            self.say("pass", text, str(outcome.digest), word="Done")
            if outcome.findings:
                card = Card("Worth knowing")
                card.body.addWidget(FindingList(outcome.findings))
                self.result.addWidget(card)
