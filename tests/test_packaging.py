"""The wheel has all that it needs, and the locks fit pyproject.toml and each other."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _lock(kind: str) -> str:
    return (ROOT / "packaging" / f"requirements-{kind}.txt").read_text()


def _locked(kind: str) -> dict[str, str]:
    """Each requirement ("name==version ; marker") and its hashes."""
    entries = _lock(kind).replace("\\\n", " ").splitlines()
    pairs = (entry.partition("--hash=") for entry in entries if entry)
    return {pin.strip(): hashes for pin, _, hashes in pairs}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline and unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_wheel_holds_every_resource(wheel: Path) -> None:
    wanted = {
        path.relative_to(ROOT / "resources")
        for path in (ROOT / "resources").rglob("*")
        if path.is_file()
    }
    data = wheel / "kataui" / "resources_data"

    assert {path.relative_to(data) for path in data.rglob("*") if path.is_file()} == wanted
    assert Path("palette.json") in wanted


def test_the_wheel_holds_no_tests_and_no_caches(wheel: Path) -> None:
    names = {path.name for path in wheel.iterdir()}

    assert names == {"kataui", f"kataui-{_version()}.dist-info"}
    assert not list(wheel.rglob("__pycache__"))
    assert list(wheel.glob("*.dist-info/licenses/LICENSE"))
    assert (wheel / "kataui" / "py.typed").exists()


def _version() -> str:
    text = (ROOT / "kataui" / "__init__.py").read_text()
    return re.findall(r'__version__ = "(.+)"', text)[0]


def test_kataui_from_the_wheel_finds_its_resources(wheel: Path, tmp_path: Path) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(wheel)!r})\n"
        "from kataui import resources\n"
        "print(resources.path('icons/lock.svg'), len(resources.text('palette.json')))\n"
    )

    done = subprocess.run(
        [sys.executable, "-B", "-I", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    path, size = done.stdout.split()
    assert Path(path) == wheel / "kataui" / "resources_data" / "icons" / "lock.svg"
    assert int(size) > 1000


@pytest.mark.parametrize("kind", ["run", "test"])
def test_every_locked_package_is_pinned_with_hashes(kind: str) -> None:
    for pin, hashes in _locked(kind).items():
        assert re.match(r"[\w.-]+==[\w.]+( ;|$)", pin), pin
        assert "sha256:" in hashes, pin


@pytest.mark.parametrize("kind", ["run", "test"])
def test_a_lock_names_no_place(kind: str) -> None:
    assert not re.search(r"://|--index|--find-links|file:|^#", _lock(kind), re.MULTILINE)


def test_what_is_tested_is_what_runs() -> None:
    assert _locked("run").items() <= _locked("test").items()


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("run", PROJECT["project"]["dependencies"]),
        ("test", PROJECT["dependency-groups"]["test"]),
    ],
)
def test_the_lock_fits_the_project(kind: str, wanted: list[str]) -> None:
    locked = [Requirement(pin) for pin in _locked(kind)]
    for text in wanted:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        (pin,) = (
            pin
            for pin in locked
            if canonicalize_name(pin.name) == canonicalize_name(requirement.name)
            and (pin.marker is None or pin.marker.evaluate())
        )
        (version,) = pin.specifier
        assert requirement.specifier.contains(version.version), text


def test_below_python_3_12_pyside_stays_below_6_12() -> None:
    pins = [Requirement(pin) for pin in _locked("run") if pin.startswith("pyside6-essentials")]
    (old,) = (
        pin
        for pin in pins
        if pin.marker is None or pin.marker.evaluate({"python_full_version": "3.11.9"})
    )

    assert "6.12.0" not in str(old.specifier)
    assert re.match(r"==6\.(8|9|10|11)\.", str(old.specifier))


@pytest.mark.parametrize("name", ["packaging/run", "packaging/test", "packaging/lock", ".ci/run"])
def test_the_scripts_can_be_started_and_parse(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o111
    subprocess.run(["bash", "-n", ROOT / name], check=True)


def test_without_a_display_a_window_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "packaging" / "run"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "there is no display here" in done.stderr
    assert "packaging/run image --help" in done.stderr
    assert list(tmp_path.iterdir()) == []
