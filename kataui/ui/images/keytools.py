"""The pages about backups and the exchange of keys, loaded when one of them is asked for."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from kataui.ui.images.keybackuppages import BackupPage, DrillPage, RestorePage
from kataui.ui.images.keyrotatepage import RotatePage
from kataui.ui.jobs import Jobs


def make_key_page(name: str, jobs: Jobs, tool: Callable[[str], QWidget]) -> QWidget:
    """The page of an act: keybackup, keyrestore, keydrill or keyrotate."""
    if name == "keybackup":
        return BackupPage(jobs, tool)
    return {"keyrestore": RestorePage, "keydrill": DrillPage, "keyrotate": RotatePage}[name](jobs)
