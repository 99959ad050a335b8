"""Single acts from the window: verify, decrypt, sign, recipients, build, keys."""

import pytest
from PySide6.QtCore import Qt

from kataui.findings import Verdict
from kataui.images.verdict import Need
from kataui.ui.images.opening import TOOLS, Images
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.confirm import AskSecret
from tests.images.builders import tar_bytes, tiny_layout
from tests.images.protecting import IDENTITY, answers, config_of, judge, manifest_of, run


@pytest.fixture
def protected(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    return run(answers(source, tmp_path / "out", keys)).written.path


def press(qtbot, window, page) -> str:
    """Press the page's button, answer a passphrase; gives what the banner says."""
    incomplete = page.missing()
    qtbot.mouseClick(page.run_button, Qt.MouseButton.LeftButton)
    for dialog in window.findChildren(AskSecret):
        dialog.accept()
    if incomplete:
        return ""
    qtbot.waitUntil(lambda: bool(visible_banners(page)), timeout=20_000)
    return visible_banners(page)[-1].accessibleName()


def visible_banners(page) -> list[VerdictBanner]:
    return [banner for banner in page.findChildren(VerdictBanner) if banner.isVisible()]


def show(window, key):
    if key in TOOLS:
        window.findChild(Images).open_tool(key)
    else:
        window.go(key)
    return window.page(key)


def test_compare_page_shows_layers_settings_and_files(window, qtbot, protected, tmp_path, keys):
    page = show(window, "compare")
    assert press(qtbot, window, page) == ""
    page.image.set_text(str(tmp_path / "source"))
    page.other.set_text(str(protected))
    page.key.set_text(keys.private)
    assert "The same runs" in press(qtbot, window, page)
    page.other.set_text(str(tiny_layout(tmp_path / "two", layers=[tar_bytes({"new": b"n"})])))
    assert "Not the same" in press(qtbot, window, page)
    texts = [box.text for box in page.findChildren(CodeBox)]
    assert any("+ /new" in text for text in texts)


def test_verify_page_gives_the_verdict(window, qtbot, protected, keys):
    page = show(window, "verify")
    page.image.set_text(str(protected))
    page.public_key.set_text(str(keys.sign_pub))
    page.key.set_text(keys.private)

    assert press(qtbot, window, page).startswith("Pass. All 3 layers are encrypted and whole")


def test_verify_page_says_what_is_missing(window, qtbot):
    page = show(window, "verify")

    assert press(qtbot, window, page) == ""
    assert page.image.problem


def test_decrypt_page_writes_a_readable_copy(window, qtbot, protected, keys, tmp_path):
    page = show(window, "decrypt")
    page.image.set_text(f"{protected}:1")
    page.key.set_text(keys.private)
    page.target.set_text(str(tmp_path / "plain"))

    assert press(qtbot, window, page).startswith("Done.")
    before = [layer["digest"] for layer in manifest_of(tmp_path / "source")["layers"]]
    assert [layer["digest"] for layer in manifest_of(tmp_path / "plain")["layers"]] == before


def test_a_wrong_key_is_told_on_the_page(window, qtbot, protected, keys, tmp_path):
    page = show(window, "decrypt")
    page.image.set_text(f"{protected}:1")
    page.key.set_text(keys.other_private)
    page.target.set_text(str(tmp_path / "plain"))

    assert press(qtbot, window, page).startswith("Not done. The layer's key cannot be unwrapped")
    assert not (tmp_path / "plain").exists()


def test_sign_page_signs_in_place(window, qtbot, keys, tmp_path):
    source = tiny_layout(tmp_path / "source")
    page = show(window, "sign")
    page.image.set_text(str(source))
    page.key.set_text(str(keys.sign_key))
    page.identity.set_text(IDENTITY)

    assert press(qtbot, window, page).startswith(f"Done. Signed for {IDENTITY}")
    need = frozenset({Need.SIGNED})
    assert judge(f"{source}:1", keys, require=need).verdict is Verdict.PASS


def test_recipients_page_adds_somebody(window, qtbot, protected, keys):
    page = show(window, "recipients")
    page.image.set_text(f"{protected}:1")
    page.key.set_text(keys.private)
    page.add.set_text(keys.other_recipient)

    assert press(qtbot, window, page).startswith("Done.")
    need = frozenset({Need.ENCRYPTED})
    report = judge(protected, private=(keys.other_private,), require=need)
    assert report.verdict is Verdict.PASS


def test_build_page_makes_an_image(window, qtbot, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file").write_text("x")
    page = show(window, "build")
    page.rootfs.set_text(str(tmp_path / "root"))
    page.target.set_text(str(tmp_path / "built"))

    assert press(qtbot, window, page).startswith("Done. Built")
    assert len(manifest_of(tmp_path / "built")["layers"]) == 1


def test_build_page_says_the_same_as_the_command_line(window, qtbot, tmp_path):
    for name in ("root", "one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    page = show(window, "build")
    page.rootfs.set_text(str(tmp_path / "root"))
    page.additions.source.set_text(str(tmp_path / "one"))
    page.additions.place.set_text("/srv/one")
    page.additions.owner.set_text("7:8")
    page.additions._add()
    page.additions.source.set_text(str(tmp_path / "two"))
    page.entrypoint.set_text("/bin/app 'a b'")
    page.command.set_text("--port 80")
    page.env.set_items(["A=1"])
    page.env.set_text("B=2")  # typed, not added yet
    page.labels.set_items(["x.y=z"])
    page.user.set_text("1000:1000")
    page.working_dir.set_text("/srv")
    page.platform.set_text("linux/arm64")
    page.target.set_text(str(tmp_path / "built"))

    assert press(qtbot, window, page).startswith("Done. Built")
    config = config_of(tmp_path / "built")
    assert config["architecture"] == "arm64"
    assert config["config"] == {
        "Entrypoint": ["/bin/app", "a b"],
        "Cmd": ["--port", "80"],
        "Env": ["A=1", "B=2"],
        "Labels": {"x.y": "z"},
        "User": "1000:1000",
        "WorkingDir": "/srv",
    }
    assert config["history"][1]["created_by"].endswith("/srv/one")
    assert len(config["rootfs"]["diff_ids"]) == 3


def test_build_page_puts_each_problem_at_its_field(window, tmp_path):
    page = show(window, "build")
    page.rootfs.set_text(str(tmp_path / "absent"))
    page.labels.set_items(["x"])
    page.start()
    assert page.labels.problem == "'x' is not NAME=VALUE."
    page.labels.set_items([])
    page.env.set_items(["x"])
    page.platform.set_text("linux/arm64,linux/amd64")
    page.start()

    assert page.target.problem == "Name where the image is to be written."
    assert page.rootfs.problem.startswith("There is no ")
    assert page.env.problem == "'x' is not NAME=VALUE."
    assert page.platform.problem.startswith("One image is for one platform.")


def test_keys_page_makes_a_key_once(window, qtbot, tmp_path):
    page = show(window, "keys")
    page.prefix.set_text(str(tmp_path / "mine"))
    page._make()
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)
    page._make()
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)

    assert (tmp_path / "mine.key").stat().st_mode & 0o077 == 0
    qtbot.waitUntil(
        lambda: any("exists already" in b.accessibleName() for b in visible_banners(page))
    )


def test_sample_ends_in_a_pass(window, images, qtbot, tmp_path):
    images.start_sample(str(tmp_path))
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)

    page = window.page(window.current_key)
    qtbot.waitUntil(lambda: bool(visible_banners(page)))
    assert visible_banners(page)[0].accessibleName().startswith("Pass. Proved")
    assert (tmp_path / "kataui-sample" / "protected" / "index.json").is_file()
