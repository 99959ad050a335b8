"""Settings: bad values give defaults, broken files are kept, nothing is half written."""

import json
import stat
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from kataui import settings
from kataui.errors import DestinationProblem
from kataui.settings import Recent, Settings


def _write(text: str) -> None:
    settings.settings_file().parent.mkdir(parents=True, exist_ok=True)
    settings.settings_file().write_text(text)


def _names() -> list[str]:
    return sorted(path.name for path in settings.settings_file().parent.iterdir())


def test_without_a_file_there_are_defaults() -> None:
    assert settings.load() == Settings()
    assert not settings.settings_file().exists()


def test_what_is_saved_is_loaded() -> None:
    item = Recent(
        "/images/a b \udcff", "image", "pass", "All is well.", "2026-01-02T03:04:05+00:00"
    )
    wanted = Settings(theme="dark", text_percent=150, expert=True, recent=(item,))

    settings.save(wanted)

    assert settings.load() == wanted
    assert _names() == ["settings.json"]
    assert stat.S_IMODE(settings.settings_file().stat().st_mode) == 0o600


def test_the_file_says_its_version() -> None:
    settings.save(Settings())

    assert json.loads(settings.settings_file().read_text())["version"] == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"theme": "pink"},
        {"theme": ["dark"]},
        {"text_percent": 100000},
        {"text_percent": 100.0},
        {"text_percent": True},
        {"expert": "yes"},
        {"expert": 1},
        {"recent": {"path": "x"}},
        {"recent": [1, {"path": 2}, {"path": "x", "when": None}]},
    ],
    ids=json.dumps,
)
def test_a_bad_field_gives_its_default_and_the_others_stay(bad: dict[str, Any]) -> None:
    good = {"theme": "light", "text_percent": 125, "expert": True, "recent": [{"path": "x"}]}
    (name,) = bad
    _write(json.dumps(good | bad))

    loaded = settings.load()

    expected = Settings(theme="light", text_percent=125, expert=True, recent=(Recent("x", ""),))
    assert loaded == replace(expected, **{name: getattr(Settings(), name)})
    assert isinstance(loaded.text_percent, int)


@pytest.mark.parametrize("text", ["{", "[]", '{"theme":"dark","theme":"light"}', "\x00"])
def test_a_broken_file_is_put_aside_whole(text: str) -> None:
    _write(text)

    assert settings.load() == Settings()

    assert _names() == ["settings.json.bad"]
    assert settings.settings_file().with_name("settings.json.bad").read_text() == text


def test_a_second_broken_file_does_not_overwrite_the_first() -> None:
    _write("first{")
    settings.load()
    _write("second{")

    settings.save(Settings())

    folder = settings.settings_file().parent
    assert _names() == ["settings.json", "settings.json.bad", "settings.json.bad1"]
    assert (folder / "settings.json.bad").read_text() == "first{"
    assert (folder / "settings.json.bad1").read_text() == "second{"


def test_members_of_a_newer_kataui_stay() -> None:
    _write('{"version": 1, "theme": "dark", "wallpaper": {"file": "sea.png"}}')

    settings.save(replace(settings.load(), theme="light"))

    kept = json.loads(settings.settings_file().read_text())
    assert kept["wallpaper"] == {"file": "sea.png"}
    assert kept["theme"] == "light"


def test_settings_that_cannot_be_written_are_a_destination_problem() -> None:
    settings.settings_file().parent.parent.mkdir(parents=True, exist_ok=True)
    settings.settings_file().parent.write_text("no folder")

    with pytest.raises(DestinationProblem, match="Cannot write the settings"):
        settings.save(Settings())


def test_the_newest_of_a_dozen_recent_things_is_first_and_once() -> None:
    known = Settings()
    for number in range(20):
        known = settings.remember(known, Recent(str(number), "image"))

    known = settings.remember(known, Recent("15", "image", "fail"))

    assert [item.path for item in known.recent][:3] == ["15", "19", "18"]
    assert len(known.recent) == 12
    assert known.recent[0].verdict == "fail"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@limits(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {}, optional={"theme": _JSON, "text_percent": _JSON, "expert": _JSON, "recent": _JSON}
    )
)
def test_whatever_stands_in_the_fields_the_settings_are_usable(value: dict[str, Any]) -> None:
    _write(json.dumps(value))

    loaded = settings.load()

    assert loaded.theme in settings.THEMES
    assert loaded.text_percent in settings.TEXT_PERCENTS
    assert all(isinstance(item, Recent) for item in loaded.recent)


def test_settings_of_an_older_kataui_are_read() -> None:
    """Written by 0.1.0 before languages, rates and sessions were there."""
    _write('{"version": 1, "theme": "dark", "text_percent": 150, "expert": true, "recent": []}')
    loaded = settings.load()
    assert (loaded.theme, loaded.text_percent, loaded.expert) == ("dark", 150, True)
    assert (loaded.language, loaded.rate_hz, loaded.reopen) == ("system", 1.0, True)
