"""A destination appears whole under its name, replaces nothing unasked, and tells of nobody."""

import tarfile

import pytest

from kataui import files
from kataui.errors import DestinationProblem
from kataui.images.open import open_source
from kataui.images.writer import destination
from kataui.progress import Control
from tests.images.builders import tiny_layout, tiny_oci_archive


def write(target, **options):
    """A destination with one blob, committed."""
    with destination(str(target), **options) as place:
        place.layout.write_index([place.layout.add(b"{}", "application/json")])
        place.pack(Control())
        place.commit()


def test_an_archive_does_not_tell_who_made_it(tmp_path):
    write(f"oci-archive:{tmp_path / 'out.tar'}")

    with tarfile.open(tmp_path / "out.tar") as tar:
        owners = {(m.uid, m.gid, m.uname, m.gname) for m in tar.getmembers()}
    assert owners == {(0, 0, "", "")}


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_has_come_to_the_name_meanwhile_is_not_replaced(tmp_path, kind):
    target = tmp_path / "out"
    with destination(str(target)) as place:
        place.layout.write_index([])
        if kind == "file":
            target.write_text("mine")
        elif kind == "folder":
            target.mkdir()  # a plain rename would replace an empty folder
        else:
            target.symlink_to("nowhere")

        with pytest.raises(DestinationProblem, match="exists already"):
            place.commit()

    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (target / "index.json").exists()


def test_force_takes_a_free_name_too(tmp_path):
    write(tmp_path / "out", force=True)

    assert (tmp_path / "out" / "index.json").is_file()


@pytest.mark.parametrize("where", ["out", "blobs/sha256/out", "new/folder/out"])
def test_nothing_is_written_into_the_source(tmp_path, where):
    source = tiny_layout(tmp_path / "source")
    before = sorted(source.rglob("*"))

    with (
        open_source(str(source)) as opened,
        pytest.raises(DestinationProblem, match="into its own source"),
        destination(str(source / where), source=opened),
    ):
        pass

    assert sorted(source.rglob("*")) == before


def test_a_name_beside_the_source_that_begins_like_it_is_fine(tmp_path):
    with (
        open_source(str(tiny_layout(tmp_path / "source"))) as opened,
        destination(str(tmp_path / "source-2"), source=opened),
    ):
        pass


def test_an_archive_as_source_may_lie_beside(tmp_path):
    archive = tiny_oci_archive(tmp_path / "a.tar")

    with open_source(str(archive)) as opened, destination(str(tmp_path / "o"), source=opened):
        pass


@pytest.mark.parametrize("prefix", ["", "oci-archive:"])
def test_a_name_too_long_for_the_system_is_told(tmp_path, prefix):
    with (
        pytest.raises(DestinationProblem, match=r"Cannot write beside .*: File name too long"),
        destination(f"{prefix}{tmp_path / ('a' * 300)}"),
    ):
        pass


@pytest.mark.parametrize("known", [True, False], ids=["at-once", "old-system"])
class TestRenames:
    """Both ways of renaming: of Linux since 3.15, and where the file system cannot."""

    @pytest.fixture(autouse=True)
    def _system(self, monkeypatch, known):
        if not known:
            monkeypatch.setattr(files, "_NO_REPLACE", 1 << 20)  # a flag that no system knows
            monkeypatch.setattr(files, "_EXCHANGE", 1 << 20)

    def test_a_free_name_is_taken(self, tmp_path):
        (tmp_path / "made").mkdir()

        files.move_new(tmp_path / "made", tmp_path / "out")

        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    def test_a_taken_name_is_not(self, tmp_path):
        (tmp_path / "made").write_text("new")
        (tmp_path / "out").write_text("old")

        with pytest.raises(FileExistsError):
            files.move_new(tmp_path / "made", tmp_path / "out")

        assert (tmp_path / "out").read_text() == "old"
        assert (tmp_path / "made").read_text() == "new"

    def test_names_are_exchanged(self, tmp_path):
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "new").touch()
        (tmp_path / "out").write_text("old")

        files.exchange(tmp_path / "made", tmp_path / "out")

        assert (tmp_path / "out" / "new").exists()
        assert (tmp_path / "made").read_text() == "old"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "out"]

    def test_a_failed_exchange_keeps_the_old(self, tmp_path):
        (tmp_path / "out").write_text("old")

        with pytest.raises(FileNotFoundError):
            files.exchange(tmp_path / "made", tmp_path / "out")

        assert (tmp_path / "out").read_text() == "old"
