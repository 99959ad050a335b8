"""Built images, unpacked, copied and built upon by other people's tools."""

import os
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kataui.errors import ImageError
from kataui.images.build import Addition, BuildAnswers, Built, build
from kataui.images.open import open_source
from kataui.images.sample import make_sample
from kataui.progress import Control

pytestmark = pytest.mark.interop
Peer = Callable[[str], str]
Entry = tuple[int, int, bytes | str, int]


@pytest.fixture(autouse=True)
def _no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    """Modes, links, times and names that are not easy."""
    root = tmp_path / "rootfs"
    for folder in ("bin", "etc/sub", "lib", "private", "deep/" + "n" * 120):
        (root / folder).mkdir(parents=True)
    contents = {
        "bin/tool": b"#!tool\n" * 40_000,
        "etc/with blank": b"1",
        "etc/new\nline": b"2",
        "etc/Grüße-\u65e5\u672c": b"3",
        "etc/sub/empty": b"",
        "private/secret": b"4",
        "deep/" + "n" * 120 + "/" + "m" * 120: b"5",
    }
    for name, data in contents.items():
        (root / name).write_bytes(data)
    (root / os.fsdecode(b"etc/\xff\xfe")).write_bytes(b"6")
    (root / "bin" / "tool").chmod(0o755)
    (root / "bin" / "again").hardlink_to(root / "bin" / "tool")
    (root / "private").chmod(0o700)
    (root / "private" / "secret").chmod(0o400)
    (root / "etc" / "sub").chmod(0o1777)
    (root / "sh").symlink_to("bin/tool")
    (root / "etc" / "absolute").symlink_to("/etc/nowhere")
    (root / "lib" / ("l" * 90)).symlink_to("x/" * 70)
    for number, path in enumerate(sorted(root.rglob("*"), reverse=True)):
        moment = (1_400_000_000 + number) * 10**9 + 123_456_789 * (number % 2)
        os.utime(path, ns=(moment, moment), follow_symlinks=False)
    return root


def listing(root: Path) -> dict[str, Entry]:
    """Mode, time in whole seconds, content or link, and number of names of everything."""
    found: dict[str, Entry] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content: bytes | str = b""
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        links = status.st_nlink if stat.S_ISREG(status.st_mode) else 1
        name = str(path.relative_to(root))
        found[name] = (status.st_mode, status.st_mtime_ns // 10**9, content, links)
    return found


def made(destination: Path, **answers: object) -> Built:
    return build(BuildAnswers(str(destination), **answers), Control())  # type: ignore[arg-type]


def unpacked(peer: Peer, built: Built, place: Path) -> Path:
    run = [peer("umoci"), "unpack", "--rootless", "--image", f"{built.path}:{built.tag}"]
    subprocess.run([*run, str(place)], check=True, capture_output=True)
    return place / "rootfs"


def test_umoci_unpacks_the_same_tree(tmp_path: Path, peer: Peer, rootfs: Path) -> None:
    built = made(tmp_path / "made", rootfs=str(rootfs))

    assert listing(unpacked(peer, built, tmp_path / "out")) == listing(rootfs)


def test_umoci_unpacks_fractions_of_seconds(tmp_path: Path, peer: Peer, rootfs: Path) -> None:
    built = made(tmp_path / "made", rootfs=str(rootfs))

    out = unpacked(peer, built, tmp_path / "out")

    for path in rootfs.rglob("*"):
        if path.is_file() and not path.is_symlink():
            there = out / path.relative_to(rootfs)
            assert there.stat().st_mtime_ns == path.stat().st_mtime_ns


def test_umoci_unpacks_a_packed_root_file_system(tmp_path: Path, peer: Peer, rootfs: Path) -> None:
    archive = tmp_path / "rootfs.tar.gz"
    subprocess.run(["tar", "-C", str(rootfs), "-czf", str(archive), "."], check=True)

    built = made(tmp_path / "made", rootfs=str(archive))

    assert listing(unpacked(peer, built, tmp_path / "out")) == listing(rootfs)


def test_sparse_file_of_tar_is_unpacked_or_refused(tmp_path: Path, peer: Peer) -> None:
    folder = tmp_path / "holes"
    folder.mkdir()
    with (folder / "disk").open("wb") as stream:
        stream.seek(3_000_000)
        stream.write(b"end")
    run = ["tar", "-C", str(folder), "--sparse"]
    for kind in ("gnu", "pax"):
        target = str(tmp_path / f"{kind}.tar")
        subprocess.run([*run, f"--format={kind}", "-cf", target, "."], check=True)

    built = made(tmp_path / "made", rootfs=str(tmp_path / "pax.tar"))

    out = unpacked(peer, built, tmp_path / "out")
    assert (out / "disk").read_bytes() == (folder / "disk").read_bytes()
    with pytest.raises(ImageError, match="cannot unpack"):
        made(tmp_path / "other", rootfs=str(tmp_path / "gnu.tar"))


def test_umoci_applies_whiteouts_and_additions(tmp_path: Path, peer: Peer, rootfs: Path) -> None:
    below = made(tmp_path / "below", rootfs=str(rootfs))

    above = made(
        tmp_path / "above",
        base=str(below.path),
        remove=("/etc/sub", "/bin/again", "/private"),
        add=(
            Addition(str(rootfs / "etc" / "with blank"), "/private/new"),
            Addition(str(rootfs / "lib"), "/"),
        ),
    )

    found = listing(unpacked(peer, above, tmp_path / "out"))
    gone = {"etc/sub", "etc/sub/empty", "bin/again", "private/secret"}
    assert not gone & set(found)
    assert found["private/new"][2] == b"1"
    assert found["l" * 90][2] == str(Path("x/" * 70))
    kept = set(listing(rootfs)) - gone
    assert kept - {"private"} <= set(found)


@pytest.mark.parametrize("tool", ["skopeo", "skopeo122"])
def test_skopeo_copies_what_was_built(tmp_path: Path, peer: Peer, rootfs: Path, tool: str) -> None:
    below = made(tmp_path / "below", rootfs=str(rootfs))
    built = made(
        tmp_path / "made",
        base=str(below.path),
        add=(Addition(str(rootfs / "etc"), "/opt/etc", "10001:10001"),),
        entrypoint=("/bin/tool",),
        env=("A=1",),
        user="10001",
        labels=(("a", "b"),),
    )
    run = [peer(tool), "--insecure-policy", "copy", "-q", f"oci:{built.path}:{built.tag}"]
    subprocess.run([*run, f"oci:{tmp_path / 'copied'}:1"], check=True)
    subprocess.run([*run, f"docker-archive:{tmp_path / 'saved'}:localhost/a:1"], check=True)

    with open_source(str(tmp_path / "copied")) as source:
        assert source.root.digest == built.digest


def test_same_epoch_gives_the_same_digest_from_another_folder(
    tmp_path: Path, peer: Peer, rootfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1400000005")
    one = made(tmp_path / "one", rootfs=str(rootfs))
    again = unpacked(peer, one, tmp_path / "out")
    again.chmod(stat.S_IMODE(rootfs.stat().st_mode))

    two = made(tmp_path / "two", rootfs=str(again))

    assert two.digest == one.digest


def test_skopeo_copies_the_sample(tmp_path: Path, peer: Peer) -> None:
    sample = make_sample(tmp_path / "sample", Control())
    source, target = f"oci:{sample.source}:{sample.tag}", f"oci-archive:{tmp_path / 'copy.tar'}"

    run = [peer("skopeo122"), "--insecure-policy", "copy", "-q", source, target]
    subprocess.run(run, check=True)


@pytest.fixture
def buildah(peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real buildah on PATH, and where its temporary storage lies."""
    folder = Path(peer("buildah")).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary


@pytest.fixture
def containerfile(tmp_path: Path) -> Path:
    context = tmp_path / "context"
    (context / "app").mkdir(parents=True)
    (context / "app" / "run").write_bytes(b"run\n")
    file = context / "Containerfile"
    file.write_text('FROM scratch\nCOPY app /srv/app\nENV A=1\nENTRYPOINT ["/srv/app/run"]\n')
    return file


def test_containerfile_is_built_by_buildah(
    tmp_path: Path, peer: Peer, buildah: Path, containerfile: Path
) -> None:
    lines: list[str] = []
    answers = BuildAnswers(
        str(containerfile.parent / "made"), containerfile=str(containerfile), env=("B=2",)
    )

    built = build(answers, Control(), lines.append)

    assert any("COPY app /srv/app" in line for line in lines)
    assert (unpacked(peer, built, tmp_path / "out") / "srv/app/run").read_bytes() == b"run\n"
    with open_source(str(built.path)) as source:
        image = source.images[0]
        assert {"A=1", "B=2"} < set(image.config.environment)
        assert image.config.entrypoint == ("/srv/app/run",)
        assert dict(image.annotations) == {}
    assert list(buildah.iterdir()) == []


def test_containerfile_is_reproducible(
    tmp_path: Path, buildah: Path, containerfile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1400000000")
    digests = {
        made(tmp_path / name, containerfile=str(containerfile)).digest for name in ("one", "two")
    }

    assert len(digests) == 1
    assert list(buildah.iterdir()) == []


def test_failing_containerfile_is_told_and_leaves_nothing(
    tmp_path: Path, buildah: Path, containerfile: Path
) -> None:
    containerfile.write_text("FROM scratch\nCOPY absent /x\n")

    with pytest.raises(ImageError, match=r"not built: buildah ended with status \d+ \(.*absent"):
        made(tmp_path / "made", containerfile=str(containerfile))

    assert not (tmp_path / "made").exists()
    assert list(buildah.iterdir()) == []
