"""The README is true: its tutorials work when pasted, its verbs and pictures are there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kataui.cli import image, isolation, key, pipeline, pod

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def pasted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder after all blocks, one after the other, and what each said."""
    folder = tmp_path_factory.mktemp("pasted")
    program = folder / "bin" / "kataui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kataui "$@"\n')
    program.chmod(0o755)
    around = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(folder),
    }
    said = []
    for block in BLOCKS:
        script = f"set -e\n{block}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env=around,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
        said.append(done.stdout)
    return folder, said


def test_the_three_tutorials_work_when_pasted(pasted: tuple[Path, list[str]]) -> None:
    folder, (pipelines, images, watched) = pasted
    assert "0 errors" in pipelines
    assert "+  runtimeClassName: kata" in pipelines
    assert "PASS  Proved: your 4 encrypted layers open with your key" in images
    assert "The same runs; only how it is packed differs." in images
    assert "status 1: the pod is not what was locked" in images
    assert "spy" in images
    assert (folder / "host.kataui-rec").stat().st_size > 1000
    assert "<html" in (folder / "host.html").read_text()
    assert "status 2" not in f"{pipelines}{images}{watched}"


def test_every_verb_is_named(pasted: tuple[Path, list[str]]) -> None:
    for noun, module in {
        "image": image, "key": key, "pod": pod, "pipeline": pipeline, "isolation": isolation,
    }.items():  # fmt: skip
        (line,) = re.findall(rf"^kataui {noun} +(.* [|] .*)$", README, re.MULTILINE)
        assert line.split(" | ") == list(module.VERBS), noun


def test_pictures_and_paths_are_there() -> None:
    for name in re.findall(r"\((resources/[^)]+)\)", README):
        assert (ROOT / name).stat().st_size > 10_000, name
    for name in re.findall(r"`(packaging/[\w./-]+)", README):
        assert (ROOT / name).exists(), name
