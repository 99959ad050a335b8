"""Comparing two images: what runs, what only differs in packing, and what could not be seen."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from kataui.findings import Verdict
from kataui.images.compare import Comparison, compare
from kataui.images.keys import KeyRing, load_keys
from kataui.images.open import open_source
from kataui.images.signatures import PublicKey, load_public_keys
from kataui.progress import Control
from tests.images.builders import tar_bytes, three_layers, tiny_layout
from tests.images.protecting import answers, replace_layer, run
from tests.keymaterial import Keys


def held(a: Path, b: Path, *, key: str = "", public: list[PublicKey] | None = None) -> Comparison:
    ring = load_keys((key,), lambda _: "") if key else KeyRing()
    with open_source(str(a)) as one, open_source(str(b)) as other:
        return compare(one, other, ring=ring, public_keys=public or (), control=Control())


def ids(found: Comparison) -> set[str]:
    return {finding.id for finding in found.findings}


def files(found: Comparison) -> list[tuple[str, str, tuple[str, ...]]]:
    changes = found.platforms[0].files
    assert changes is not None
    return [(item.change, item.path, item.what) for item in changes]


def layout(path: Path, *layers: bytes, **more: Any) -> Path:
    return tiny_layout(path, layers=layers, **more)


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, data: bytes = b"", **facts: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info, data


def test_an_image_is_the_very_same_as_itself(tmp_path: Path) -> None:
    one = tiny_layout(tmp_path / "one")
    found = held(one, one)
    assert found.verdict is Verdict.PASS
    assert found.sentence == "The very same image: one digest."
    assert {pair.state for pair in found.platforms[0].layers} == {"same"}


def test_a_protected_image_runs_the_same_only_when_a_key_opened_it(
    tmp_path: Path, keys: Keys
) -> None:
    source, target = tiny_layout(tmp_path / "source"), tmp_path / "protected"
    run(answers(source, target, keys))
    shut = held(source, target)
    assert shut.verdict is Verdict.UNKNOWN
    assert "IMG-CMP-UNCHECKED" in ids(shut)
    public = load_public_keys([str(keys.sign_pub)])
    opened = held(source, target, key=keys.private, public=public)
    assert opened.verdict is Verdict.PASS
    assert {pair.state for pair in opened.platforms[0].layers} == {"repacked"}
    assert all(pair.b is not None and pair.b.recipients for pair in opened.platforms[0].layers)
    assert [item.status.value for item in opened.b.signatures] == ["valid"]
    assert {"IMG-CMP-ENCRYPTION", "IMG-CMP-SIGNATURES"} <= ids(opened)


def test_another_compression_is_repacked(tmp_path: Path) -> None:
    found = held(tiny_layout(tmp_path / "gzip"), tiny_layout(tmp_path / "zstd", compression="zstd"))
    assert found.verdict is Verdict.PASS
    assert {pair.state for pair in found.platforms[0].layers} == {"repacked"}


def test_a_back_door_in_a_layer_is_named_by_its_file(tmp_path: Path) -> None:
    first, *rest = three_layers()
    bad = tar_bytes({"etc/passwd": b"root::0:0:root:/root:/bin/sh\n", "etc/cron.d/x": b"* * *\n"})
    found = held(layout(tmp_path / "a", first, *rest), layout(tmp_path / "b", bad, *rest))
    assert found.verdict is Verdict.FAIL
    assert [pair.state for pair in found.platforms[0].layers] == [
        *("removed", "added"),
        *("same", "same"),
    ]
    assert files(found) == [
        ("added", "etc/cron.d/x", ()),
        ("changed", "etc/passwd", ("content",)),
    ]


def test_modes_owners_links_and_kinds_are_told(tmp_path: Path) -> None:
    a = tar_of(
        member("tool", b"x", mode=0o755),
        member("mine", b"x", uid=0),
        member("link", type=tarfile.SYMTYPE, linkname="tool"),
        member("thing", b"x"),
    )
    b = tar_of(
        member("tool", b"x", mode=0o4755),
        member("mine", b"x", uid=1000, gid=5),
        member("link", type=tarfile.SYMTYPE, linkname="/bin/sh"),
        member("thing", type=tarfile.DIRTYPE),
    )
    assert files(held(layout(tmp_path / "a", a), layout(tmp_path / "b", b))) == [
        ("changed", "link", ("tool → /bin/sh",)),
        ("changed", "mine", ("owner 0:0 → 1000:5",)),
        ("changed", "thing", ("file → folder",)),
        ("changed", "tool", ("mode 0755 → 4755",)),
    ]


def test_files_are_those_that_a_container_sees(tmp_path: Path) -> None:
    base = tar_bytes({"a/one": b"1", "a/two": b"2", "b/three": b"3", "c": b"4"})
    upper = tar_of(
        member("a/.wh.one"),
        member("b/.wh..wh..opq"),
        member("b/new", b"n"),
        member("same", type=tarfile.LNKTYPE, linkname="c"),
    )
    flat = tar_bytes({"a/two": b"2", "b/new": b"n", "c": b"4", "same": b"4"})
    found = held(layout(tmp_path / "layers", base, upper), layout(tmp_path / "flat", flat))
    assert files(found) == []
    assert found.verdict is Verdict.PASS
    assert "IMG-CMP-LAYERS" in ids(found)


def test_other_times_are_no_difference(tmp_path: Path) -> None:
    a, b = (tar_of(member("x", b"x", mtime=time)) for time in (1, 2))
    found = held(layout(tmp_path / "a", a), layout(tmp_path / "b", b))
    assert (found.verdict, files(found)) == (Verdict.PASS, [])


def test_another_start_command_or_variable_fails_and_labels_do_not(tmp_path: Path) -> None:
    one = tiny_layout(tmp_path / "one", env=["MODE=safe", "API_TOKEN=abcdefgh12345678"])
    other = tiny_layout(tmp_path / "two", env=["MODE=open", "API_TOKEN=ijklmnop12345678"])
    found = held(one, other)
    assert found.verdict is Verdict.FAIL
    told = {item.name: (item.a, item.b) for item in found.platforms[0].settings}
    assert told["Env MODE"] == ("safe", "open")
    assert "abcdefgh12345678" not in str(found.as_json())
    assert "Env API_TOKEN" in told
    labels = held(
        tiny_layout(tmp_path / "plain"), tiny_layout(tmp_path / "named", labels={"team": "x"})
    )
    assert labels.verdict is Verdict.PASS
    assert "IMG-CMP-NOTES" in ids(labels)


def test_a_platform_that_only_one_has_fails(tmp_path: Path) -> None:
    both = tiny_layout(tmp_path / "both", platforms=("linux/amd64", "linux/arm64"))
    more = tiny_layout(tmp_path / "more", platforms=("linux/amd64", "linux/riscv64"))
    found = held(both, more)
    assert found.verdict is Verdict.FAIL
    messages = [item.message for item in found.findings if item.id == "IMG-CMP-PLATFORM"]
    assert messages == [
        "Only A has an image for linux/arm64.",
        "Only B has an image for linux/riscv64.",
    ]


def test_a_damaged_layer_is_never_the_same(tmp_path: Path) -> None:
    one, other = tiny_layout(tmp_path / "one"), tiny_layout(tmp_path / "two")
    blobs = sorted((other / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(blobs[-1].read_bytes())
    data[len(data) // 2] ^= 1
    blobs[-1].write_bytes(data)
    found = held(one, other)
    assert found.verdict is Verdict.FAIL
    assert {"IMG-DIGEST", "IMG-LAYER"} & ids(found)


def test_files_of_layers_that_no_key_opens_are_not_compared(tmp_path: Path, keys: Keys) -> None:
    source = tiny_layout(tmp_path / "source")
    run(answers(source, tmp_path / "protected", keys))
    other = layout(tmp_path / "other", *three_layers()[:2], tar_bytes({"note": b"changed\n"}))
    found = held(other, tmp_path / "protected")
    assert found.verdict is Verdict.FAIL
    assert found.platforms[0].files is None
    assert found.platforms[0].why_no_files == "3 layers of B cannot be read here."


@pytest.mark.parametrize("damage", ["cut", "not a tar", "huge header"])
def test_a_tar_made_to_hurt_is_a_finding(tmp_path: Path, damage: str) -> None:
    good = tar_bytes({"x": b"x" * 2000})
    huge = tarfile.TarInfo("pax")
    huge.type, huge.size = tarfile.XHDTYPE, 1 << 32
    bad = {
        "cut": good[:1500],
        "not a tar": b"\x01" * 4096,
        "huge header": huge.tobuf(tarfile.USTAR_FORMAT) + bytes(1024),
    }[damage]
    found = held(layout(tmp_path / "a", good), layout(tmp_path / "b", bad))
    assert found.verdict is Verdict.FAIL
    assert "IMG-LAYER" in ids(found)


def test_a_layer_that_was_replaced_does_not_hide_behind_its_diff_id(tmp_path: Path) -> None:
    one, other = tiny_layout(tmp_path / "one"), tiny_layout(tmp_path / "two")
    replace_layer(other, 0, tar_bytes({"etc/passwd": b"evil"}))
    found = held(one, other)
    assert found.verdict is Verdict.FAIL
    assert "IMG-DIFFID" in ids(found)
