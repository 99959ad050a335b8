"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sorted(
    path for folder in ("kataui", "tests", "packaging") for path in (ROOT / folder).rglob("*.py")
)
TEXTS = [
    *PYTHON,
    *(ROOT / name for name in ("README.md", "pyproject.toml", ".ci/run")),
    *(path for path in (ROOT / "packaging").iterdir() if path.is_file()),
]


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_has_more_than_400_lines() -> None:
    lines = {_name(path): len(path.read_text().splitlines()) for path in PYTHON}

    assert lines
    assert {name: count for name, count in lines.items() if count > 400} == {}


def test_no_function_has_more_than_40_lines() -> None:
    lengths = {
        f"{_name(path)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in PYTHON
        for node in _functions(path)
    }

    assert {name: length for name, length in lengths.items() if length > 40} == {}


def test_nothing_names_the_place_of_the_checkout() -> None:
    places = [str(ROOT), str(ROOT.parent / "shared")]

    assert [
        _name(path) for path in TEXTS if any(place in path.read_text() for place in places)
    ] == []


def test_every_dataclass_is_frozen_with_slots_or_says_that_it_changes() -> None:
    loose = [
        f"{_name(path)}: {ast.unparse(decorator)}"
        for path in (ROOT / "kataui").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if "dataclass" in ast.unparse(decorator) and "slots=True" not in ast.unparse(decorator)
    ]

    assert loose == []


def test_no_check_is_switched_off_without_a_code_and_a_reason() -> None:
    bare = [
        f"{_name(path)}:{number}"
        for path in (ROOT / "kataui").rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "# noqa" in line and not re.search(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* - \w", line)
    ]

    assert bare == []


GUARD = """
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QLabel

class Source(QObject):
    told = Signal(object)

application = QApplication([])
source, label, heard = Source(), QLabel(), []
source.told.connect(heard.append)
for number in range(20_000):
    source.told.emit((None, True, False)[number % 3])
    label.setText(str(number))
    label.setEnabled(True)
assert len(heard) == 20_000 and label.text() == "19999"
print("alive")
"""


def test_pyside_survives_many_calls_on_this_python() -> None:
    # PySide6 6.12.0 drops references of None and True, which kills Python < 3.12
    done = subprocess.run(
        [sys.executable, "-c", GUARD], capture_output=True, text=True, check=False, timeout=100
    )

    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["image", "--help"]])
def test_the_command_line_does_not_load_qt(arguments: list[str]) -> None:
    script = (
        "import sys; from kataui.__main__ import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(' '.join(m for m in sys.modules if 'PySide6' in m))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    script = "import sys; from kataui.__main__ import main; sys.exit(main())"
    child = subprocess.Popen(
        [sys.executable, "-c", script, "image", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )
    assert child.stdout is not None
    child.stdout.close()

    _, said = child.communicate(timeout=60)

    assert (child.returncode, said) == (141, "")
