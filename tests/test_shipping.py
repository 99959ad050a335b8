"""What is shipped works: wheel, self-contained folder, Debian package and what is beside them."""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

import kataui

ROOT = Path(__file__).resolve().parents[1]
DESKTOP = ROOT / "packaging" / "desktop"
NAME = "org.kataui.Kataui"
CLEAN = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"}


def _run(*words: str | Path, **more: str) -> str:
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False, env={**CLEAN, **more}
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def _build(out: Path, *parts: str) -> Path:
    words = [str(ROOT / "packaging" / "build"), *parts, "--out", str(out)]
    moment = {"SOURCE_DATE_EPOCH": "1790000000"}
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, **moment}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return out


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything, built once."""
    return _build(tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="module")
def deb(shipped: Path) -> Path:
    (path,) = shipped.glob("*.deb")
    return path


def _works(program: list[str], folder: Path) -> None:
    """The version, a protected image with its receipt, templates, a recording."""
    home = {"HOME": str(folder)}
    assert _run(*program, "--version", **home).strip() == f"kataui {kataui.__version__}"
    _run(*program, "image", "protect", "--sample", folder / "sample", **home)
    receipt = json.loads((folder / "sample" / "receipt.json").read_text())
    assert receipt["versions"]["kataui"] == kataui.__version__
    assert "gitlab-runner" in _run(*program, "pipeline", "list", **home)
    _run(*program, "pipeline", "render", "kata-smoke-test", "--out", folder / "pod", **home)
    _run(*program, "pipeline", "check", folder / "pod", **home)
    _run(*program, "isolation", "record", folder / "r.kataui-rec", "--seconds", "1", **home)
    assert (folder / "r.kataui-rec").stat().st_size > 1000
    assert "sandboxes" in _run(*program, "isolation", "sandboxes", "--json", **home)
    _run(*program, "key", "new", "jwe", folder / "key", **home)


def test_the_wheel_works_where_it_is_installed(shipped: Path, tmp_path: Path) -> None:
    (wheel,) = shipped.glob("*.whl")
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet"]
    _run(*pip, "--target", target, wheel, HOME=str(tmp_path))
    script = tmp_path / "start.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(target)!r})\n"
        "from kataui import __main__, resources\n"
        f"assert str(resources.path('icons')).startswith({str(target)!r})\n"
        "sys.exit(__main__.main())\n"
    )

    _works([sys.executable, "-I", str(script)], tmp_path)


def test_the_self_contained_program_works_without_a_display(shipped: Path, tmp_path: Path) -> None:
    program = str(shipped / "kataui" / "kataui")
    _works([program], tmp_path)
    words = [program, "demo", "--screenshots", str(tmp_path / "pictures"), "--percents", "100"]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**CLEAN, "HOME": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == "", "it says nothing that is wrong"
    for theme in ("light", "dark"):
        assert len(list((tmp_path / "pictures").glob(f"*-{theme}-100-1440x900.png"))) > 50


def test_the_archive_is_the_folder(shipped: Path) -> None:
    (path,) = shipped.glob("kataui-*-linux-*.tar.gz")
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    assert {member.mtime for member in members} == {1790000000}
    assert {(member.uid, member.uname) for member in members} == {(0, "root")}
    files = {p.relative_to(shipped / "kataui") for p in (shipped / "kataui").rglob("*")}
    assert len(members) == len(files)


def test_parts_of_qt_that_are_not_used_are_left_out(shipped: Path) -> None:
    names = {path.name for path in (shipped / "kataui").rglob("libQt6*")}
    assert any(name.startswith("libQt6Widgets") for name in names)
    unused = ("Qml", "Quick", "WebEngine", "Pdf", "VirtualKeyboard", "Sql", "Designer")
    assert [name for name in names if any(part in name for part in unused)] == []


def test_the_same_sources_give_the_same_bytes(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "kataui").symlink_to(shipped / "kataui")
    again = _build(tmp_path, "wheel", "bill", "deb")
    for pattern in ("*.whl", "kataui-?.?.?.tar.gz", "*.deb", "*.cdx.json", "LICENSES.txt"):
        (first,), (second,) = shipped.glob(pattern), again.glob(pattern)
        assert _digest(first) == _digest(second), first.name


def test_the_deb_installs_runs_and_leaves_nothing(deb: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("dpkg"):
        pytest.skip("only root of a Debian can install it")
    root = tmp_path / "root"
    admin = root / "var" / "lib" / "dpkg"
    for part in ("info", "updates", "triggers"):
        (admin / part).mkdir(parents=True)
    for name in ("status", "available"):
        (admin / name).touch()
    dpkg = ["dpkg", "--force-depends", "--force-not-root", "--log=/dev/null"]
    dpkg += [f"--instdir={root}", f"--admindir={admin}"]
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    _run(*dpkg, "--install", deb, PATH=path)
    _works([str(root / "usr" / "bin" / "kataui")], tmp_path)
    manual = gzip.decompress((root / "usr/share/man/man1/kataui.1.gz").read_bytes()).decode()
    assert f"kataui {kataui.__version__}" in manual
    assert ".SS kataui image compare" in manual
    _run(*dpkg, "--purge", "kataui", PATH=path)
    assert [p for p in root.rglob("*") if not p.is_relative_to(root / "var")] == []


def test_lintian_has_nothing_to_say(deb: Path, tmp_path: Path) -> None:
    if not shutil.which("lintian"):
        pytest.skip("lintian is not installed")
    said = _run("lintian", "--allow-root", "--fail-on", "error,warning", deb, TMPDIR=str(tmp_path))
    assert re.findall(r"^[EW]: .*", said, re.MULTILINE) == []


def test_the_bill_of_materials_names_what_is_shipped(shipped: Path) -> None:
    (path,) = shipped.glob("*.cdx.json")
    bill = json.loads(path.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["version"] == kataui.__version__
    lock = (ROOT / "packaging" / "requirements-run.txt").read_text()
    locked = set(re.findall(r"^([\w.-]+==[^ ;]+)", lock, re.MULTILINE))
    named = {f"{one['name']}=={one['version']}" for one in bill["components"]} - {
        f"python=={one['version']}" for one in bill["components"]
    }
    assert named <= locked
    assert {one.partition("==")[0] for one in named} >= {"pyside6-essentials", "cryptography"}
    assert all(one.get("licenses") for one in bill["components"])
    licences = (shipped / "LICENSES.txt").read_text()
    assert len(re.findall(r"^={78}$", licences, re.MULTILINE)) == len(bill["components"]) - 1


def test_completions_know_the_verbs(shipped: Path, deb: Path, tmp_path: Path) -> None:
    _run("dpkg-deb", "-x", deb, tmp_path)
    share = tmp_path / "usr" / "share"
    bash = share / "bash-completion" / "completions" / "kataui"
    _run("bash", "-n", bash)
    for path in (bash, share / "zsh" / "vendor-completions" / "_kataui"):
        assert {"protect", "audit", "sandboxes"} <= set(re.findall(r"\w+", path.read_text()))


def test_menu_entry_and_metainfo_are_valid(shipped: Path, deb: Path, tmp_path: Path) -> None:
    if not shutil.which("appstreamcli") or not shutil.which("desktop-file-validate"):
        pytest.skip("appstreamcli or desktop-file-validate is not installed")
    _run("dpkg-deb", "-x", deb, tmp_path)
    share = tmp_path / "usr" / "share"
    assert _run("desktop-file-validate", share / "applications" / f"{NAME}.desktop") == ""
    _run("appstreamcli", "validate", "--no-net", share / "metainfo" / f"{NAME}.metainfo.xml")
    for size in (16, 22, 24, 32, 48, 64, 128, 256, 512):
        picture = share / "icons" / "hicolor" / f"{size}x{size}" / "apps" / f"{NAME}.png"
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_flatpak_has_no_network_and_both_recipes_name_real_files() -> None:
    flatpak = yaml.safe_load((ROOT / "packaging" / "flatpak" / f"{NAME}.yaml").read_text())
    assert not [word for word in flatpak["finish-args"] if "network" in word]
    assert flatpak["command"] == "kataui"
    for source in flatpak["modules"][0]["sources"]:
        path = ROOT / "packaging" / "flatpak" / source["path"]
        assert path.exists() or "dist" in source["path"]
    image = yaml.safe_load((ROOT / "packaging" / "appimage" / "AppImageBuilder.yml").read_text())
    assert image["AppDir"]["app_info"]["id"] == NAME
    assert image["AppDir"]["app_info"]["version"] == kataui.__version__
