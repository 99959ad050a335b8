"""The pages that carry a pod and publish it."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel

from kataui.ui.app import drop_words
from kataui.ui.pods.parcelpages import UnpackPage
from kataui.ui.widgets.codebox import CodeBox
from tests.pods import brokers
from tests.pods.parcels import contents, flip, packed, prepared
from tests.ui.helpers import clipped, cut_code, primaries, sideways, unnamed
from tests.ui.test_tools import press, show


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory, keys) -> Path:
    """A prepared pod; the tests only read it."""
    return prepared(tmp_path_factory.mktemp("pod"), keys)


def _texts(page) -> str:
    return "\n".join(one.text() for one in page.findChildren(QLabel) if one.isVisible())


def _sound(qtbot, page) -> None:
    qtbot.waitUntil(lambda: not clipped(page))  # what was just added takes its height
    assert (unnamed(page), clipped(page), sideways(page), cut_code(page)) == ([], [], [], [])
    assert len(primaries(page)) == 1


def test_a_pod_is_packed_in_parts_and_opened_by_its_file(
    window, qtbot, pod, tmp_path, keys
) -> None:
    page = show(window, "podpack")
    page.folder.set_text(str(pod))
    assert page.out.text == str(pod.with_name("prepared.kataui-parcel"))
    page.out.set_text(str(tmp_path / "p"))
    page.split.set_text("120k")
    page.sign_key.set_text(str(keys.sign_key))
    assert press(qtbot, window, page).startswith("Done. ")
    told = _texts(page)
    assert "p.kataui-parcel.002" in told
    assert "Secret, so not packed: keys/." in told
    _sound(qtbot, page)
    first = str(tmp_path / "p.kataui-parcel.001")
    assert drop_words([first]) == "Unpack this parcel"
    window.open_paths([first])
    page = window.page(window.current_key)
    assert isinstance(page, UnpackPage)
    assert page.parcel.text == first
    assert page.out.text == str(tmp_path / "p")
    page.public_key.set_text(str(keys.sign_pub))
    assert press(qtbot, window, page).startswith("Pass. All that was packed arrived whole")
    assert contents(tmp_path / "p") == contents(pod)
    told = _texts(page)
    assert "manifest.yaml is exactly what the lock says." in told
    assert "Private keys are never" not in told
    assert "Whether the images open: private keys are never in a parcel." in told
    _sound(qtbot, page)


def test_a_damaged_parcel_is_told_and_nothing_is_there(window, qtbot, pod, tmp_path) -> None:
    made = packed(pod, tmp_path / "p", part_bytes=120_000)
    flip(made.parts[1], 90_000)
    page = show(window, "podunpack")
    page.parcel.set_text(str(made.parts[0]))
    said = press(qtbot, window, page)
    assert said.startswith("Not done. Copy part 2 of ")
    assert "p.kataui-parcel.002 is damaged" in said
    assert not (tmp_path / "p").exists()


def test_a_manifest_that_was_changed_is_a_fail_with_all_that_was_checked(
    window, qtbot, pod, tmp_path, keys
) -> None:
    copy = tmp_path / "copy"
    for name, data in contents(pod).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(data)
    text = (copy / "manifest.yaml").read_text()
    (copy / "manifest.yaml").write_text(text.replace('"c1"', '"c2"'))
    made = packed(copy, tmp_path / "p", keys)
    page = show(window, "podunpack")
    page.parcel.set_text(str(made.parts[0]))
    page.public_key.set_text(str(keys.sign_pub))
    assert press(qtbot, window, page).startswith("Fail. What arrived is not what was prepared.")
    assert "Nothing was written." in _texts(page)
    assert "images/sidecar" in _texts(page)
    assert not (tmp_path / "p").exists()


def test_an_inventory_is_written(window, qtbot, pod, tmp_path) -> None:
    page = show(window, "podunpack")
    page.write_inventory()
    assert page.have.problem
    assert page.inventory.problem
    page.have.set_text(str(pod / "images"))
    page.inventory.set_text(str(tmp_path / "have.json"))
    page.write_inventory()
    count = len({path.name for path in pod.glob("images/*/blobs/sha256/*")})
    qtbot.waitUntil(lambda: f"{count} blobs are here" in _texts(page), timeout=20_000)
    assert (tmp_path / "have.json").exists()


@pytest.mark.parametrize("name", ["podpack", "podunpack", "podpublish"])
def test_the_pages_say_what_is_missing(window, qtbot, name) -> None:
    page = show(window, name)
    assert press(qtbot, window, page) == ""
    assert all(field.problem for field in page.missing())
    assert page.missing()
    _sound(qtbot, page)


def test_a_size_that_is_none_is_told_at_its_field(window, qtbot, pod, tmp_path) -> None:
    page = show(window, "podpack")
    page.folder.set_text(str(pod))
    page.split.set_text("a DVD")
    assert press(qtbot, window, page) == ""
    assert "no quantity" in page.split.problem


def test_steps_are_shown_before_anything_is_sent(window, qtbot, pod, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no program is here
    (tmp_path / "token").write_text("t")
    before = window.status_line.network
    with brokers.serve() as served:
        page = show(window, "podpublish")
        page.folder.set_text(str(pod))
        page.kbs_url.set_text(served.url)
        page.token.set_text(str(tmp_path / "token"))
        page.start()
        qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)
        qtbot.waitUntil(lambda: page.run_button.text().strip() == "Publish now")
        commands = "\n".join(box.text for box in page.findChildren(CodeBox))
        assert "docker://registry.example.org/team/app:" in commands
        assert f"POST {served.url}/kbs/v0/resource-policy" in commands
        assert "one rule for all its keys" in _texts(page)
        assert served.asked == []
        assert window.status_line.network == before
        _sound(qtbot, page)
        page.registry.set_text("other.example.org")  # other answers, other steps
        assert page.run_button.text().strip() == "Show the steps"
        page.registry.set_text("")
        page.start()
        qtbot.waitUntil(lambda: page.run_button.text().strip() == "Publish now")
        assert "needs skopeo" in press(qtbot, window, page)
        assert served.asked == []
    assert window.status_line.network == before


def test_what_is_published_is_told_as_network(window, qtbot, pod, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "skopeo").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "skopeo").chmod(0o755)
    page = show(window, "podpublish")
    page.folder.set_text(str(pod))
    page.start()
    qtbot.waitUntil(lambda: page.run_button.text().strip() == "Publish now", timeout=20_000)
    said = press(qtbot, window, page)
    assert said.startswith("Not done. Step 1 of 8 failed: Push the image to")
    assert "0 steps were done" in _texts(page)
    assert window.status_line.network == "Network: publishing to registry.example.org"
    assert page.run_button.text().strip() == "Show the steps"
