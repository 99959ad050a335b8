"""What this computer can do, once the window is there."""

from kataui.ui.home import HomePage
from kataui.ui.window import HOME, Window


def look_around(window: Window) -> None:
    """Look in the background, and say it on Home; the page "This computer" says more."""
    home = window.page(HOME)
    if not isinstance(home, HomePage):
        return
    from kataui.doctor import host, programs  # noqa: PLC0415 - not before the first picture
    from kataui.doctor.examine import abilities  # noqa: PLC0415 - as above
    from kataui.doctor.model import Places  # noqa: PLC0415 - as above

    window.jobs.start(
        lambda _control: abilities(programs.parts(versions=False) + host.parts(Places())),
        on_done=home.show_abilities,
        on_error=lambda _error: None,  # the page tells what is wrong
    )
