"""What this computer can do, once the window is there."""

from kataui.doctor import host, programs
from kataui.doctor.examine import abilities
from kataui.doctor.model import Places
from kataui.ui.home import HomePage
from kataui.ui.window import HOME, Window


def look_around(window: Window) -> None:
    """Look in the background, and say it on Home; the page "This computer" says more."""
    home = window.page(HOME)
    if not isinstance(home, HomePage):
        return
    window.jobs.start(
        lambda _control: abilities(programs.parts() + host.parts(Places())),
        on_done=home.show_abilities,
        on_error=lambda _error: None,  # the page tells what is wrong
    )
