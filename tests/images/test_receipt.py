"""A receipt is refused before any work where it could not lie, and harms nothing there."""

import os

import pytest

from kataui.errors import DestinationProblem
from kataui.images.protectanswers import problems
from tests.images.builders import tiny_layout, tiny_oci_archive
from tests.images.protecting import answers, run


@pytest.fixture
def refused(tmp_path, keys):
    """Say how a receipt is refused: by the answers' check and by the act, with nothing written."""
    source = tiny_layout(tmp_path / "source")

    def refuse(receipt: object, **changes: object) -> str:
        asked = answers(source, tmp_path / "out", keys, receipt=str(receipt), **changes)
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(DestinationProblem) as problem:
            run(asked)
        assert sorted(tmp_path.rglob("*")) == before
        assert [item.field for item in problems(asked)] == ["receipt"]
        return problem.value.message

    return refuse


@pytest.mark.parametrize("name", ["/", ".", "r.html", "a\0b"])
def test_a_name_that_is_none_is_refused(refused, name):
    assert "is no name for a receipt" in refused(name)


@pytest.mark.parametrize("place", ["source/r.json", "source/blobs/sha256/r.json", "out/r.json"])
def test_a_receipt_does_not_lie_in_an_image(refused, tmp_path, place):
    assert "would lie in an image" in refused(tmp_path / place)


def test_a_receipt_reaches_no_image_through_a_link(refused, tmp_path):
    (tmp_path / "link").symlink_to("source")

    assert "would lie in an image" in refused(tmp_path / "link" / "r.json")


def test_a_receipt_does_not_take_the_name_of_its_destination(tmp_path, keys):
    source = tiny_oci_archive(tmp_path / "source.tar")
    target = tmp_path / "out.json"
    asked = answers(source, f"oci-archive:{target}", keys, receipt=str(target))

    assert [problem.field for problem in problems(asked)] == ["receipt"]


def test_no_folder_is_made_for_a_receipt(refused, tmp_path):
    assert "There is no folder" in refused(tmp_path / "none" / "r.json")


def test_a_name_too_long_for_a_receipt_is_told(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    long = str(tmp_path / f"{'a' * 254}.json")

    with pytest.raises(DestinationProblem, match="File name too long"):
        run(answers(source, tmp_path / "out", keys, receipt=long))

    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("name", ["r.json", "r.json.sigstore.json", "r.html"])
@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_each_of_its_files_is_spared(refused, tmp_path, name, kind):
    path = tmp_path / name
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere")

    assert "exists already and is not overwritten" in refused(tmp_path / "r.json")
    assert os.path.lexists(path)


def test_force_replaces_a_receipt_but_never_a_folder(refused, tmp_path, keys):
    (tmp_path / "r.json").write_text("old")
    run(
        answers(
            tmp_path / "source",
            tmp_path / "one",
            keys,
            receipt=str(tmp_path / "r.json"),
            force=True,
        )
    )
    (tmp_path / "r.html").unlink()
    (tmp_path / "r.html").mkdir()

    assert (tmp_path / "r.json").read_text().startswith("{")
    assert "exists already" in refused(tmp_path / "r.json", force=True)
