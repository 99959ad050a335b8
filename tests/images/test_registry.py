import os
from pathlib import Path

import pytest

from kataui.errors import Cancelled, ImageError, NotPossibleHere
from kataui.images.open import open_source
from kataui.progress import Control
from tests.images.builders import tiny_layout

SKOPEO = """#!/bin/sh
[ -e "{folder}/arguments" ] || printf '%s\\n' "$@" > "{folder}/arguments"
for target; do :; done
target=${{target#oci:}}
{act}
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder for this test."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def put_skopeo(folder: Path, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    """A small program that stands where skopeo would."""
    tool = folder / "bin" / "skopeo"
    tool.parent.mkdir()
    tool.write_text(SKOPEO.format(folder=folder, act=act))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")


def arguments(folder: Path) -> list[str]:
    return (folder / "arguments").read_text().splitlines()


def test_image_of_a_registry_is_opened_and_nothing_stays(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = tiny_layout(tmp_path / "layout", tag="v1")
    put_skopeo(tmp_path, monkeypatch, f'cp -r "{layout}/." "${{target%:*}}"')

    with open_source("docker://r.example/shop/a:v1") as source:
        assert len(source.images[0].layers) == 3
        assert (source.tag, source.path) == ("v1", "r.example/shop/a:v1")
        finding, unknown = source.findings  # this one tells nothing when it is asked for digests
        assert not unknown.checked
        assert len(list(temporary.iterdir())) == 1

    assert finding.id == "IMG-NETWORK"
    assert "r.example" in finding.message
    assert list(temporary.iterdir()) == []
    words = arguments(tmp_path)
    assert words[:3] == ["--insecure-policy", "copy", "--quiet"]
    assert "--all" in words
    assert words[-2] == "docker://r.example/shop/a:v1"
    assert "--src-tls-verify=false" not in words


def test_one_platform_is_asked_for_and_loopback_needs_no_tls(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = tiny_layout(tmp_path / "layout", tag="latest", platforms=("linux/arm64/v8",))
    put_skopeo(tmp_path, monkeypatch, f'cp -r "{layout}/." "${{target%:*}}"')

    open_source("docker://127.0.0.1:5000/aa", platform="linux/arm64/v8").close()

    words = arguments(tmp_path)
    assert words[words.index("--override-arch") + 1] == "arm64"
    assert words[words.index("--override-variant") + 1] == "v8"
    assert "--src-tls-verify=false" in words
    assert "--all" not in words
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("host", ["127.0.0.1.example.com", "localhost.example", "r.example"])
def test_only_this_machine_is_spoken_to_without_tls(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    put_skopeo(tmp_path, monkeypatch, "exit 1")

    with pytest.raises(ImageError):
        open_source(f"docker://{host}/aa:1")

    assert "--src-tls-verify=false" not in arguments(tmp_path)
    assert list(temporary.iterdir()) == []


def test_containers_storage_is_no_network(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = tiny_layout(tmp_path / "layout", tag="1")
    put_skopeo(tmp_path, monkeypatch, f'cp -r "{layout}/." "${{target%:*}}"')

    with open_source("containers-storage:localhost/a:1") as source:
        assert source.findings == ()

    assert arguments(tmp_path)[-2] == "containers-storage:localhost/a:1"
    assert list(temporary.iterdir()) == []


def test_what_skopeo_says_is_cleaned_and_told(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = r'time="now" level=fatal msg="reading manifest: \"unauthorized\" \033[2J"'
    put_skopeo(tmp_path, monkeypatch, f"printf '%b\\n' '{said}' >&2; exit 1")

    with pytest.raises(ImageError, match=r"could not fetch r\.example/a:1: reading mani") as caught:
        open_source("docker://r.example/a:1")

    assert "\x1b" not in caught.value.message
    assert list(temporary.iterdir()) == []


def test_success_without_an_image_is_not_believed(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_skopeo(tmp_path, monkeypatch, "exit 0")

    with pytest.raises(ImageError):
        open_source("docker://r.example/a:1")

    assert list(temporary.iterdir()) == []


def test_missing_skopeo_is_told_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotPossibleHere) as caught:
        open_source("docker://r.example/a:1")

    assert "install skopeo" in caught.value.hint


@pytest.mark.parametrize("name", ["-x/a", "r.example/a b", "r.example/a\n", "\u202er/a"])
def test_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ImageError, match="not the name of an image"):
        open_source(f"docker://{name}")


def test_cancelled_fetch_leaves_nothing(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_skopeo(tmp_path, monkeypatch, f'touch "{tmp_path}/started"; exec sleep 60')

    class StopsOnceStarted(Control):
        """Cancels as soon as the program runs."""

        @property
        def cancelled(self) -> bool:
            if (tmp_path / "started").exists():
                self.cancel()
            return super().cancelled

        def check(self) -> None:
            if self.cancelled:
                super().check()

    with pytest.raises(Cancelled):
        open_source("docker://r.example/a:1", control=StopsOnceStarted())

    assert list(temporary.iterdir()) == []
