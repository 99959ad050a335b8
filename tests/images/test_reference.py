from pathlib import Path

import pytest

from kataui.errors import DestinationProblem, ImageError
from kataui.images.reference import Reference, parse_destination, parse_reference
from kataui.images.source import Transport


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("img", Reference(None, "img", "")),
        ("img:1", Reference(None, "img", "1")),
        ("./a/b:2.4.1-rc_1", Reference(None, "./a/b", "2.4.1-rc_1")),
        ("oci:img:1", Reference(Transport.OCI, "img", "1")),
        ("oci:img", Reference(Transport.OCI, "img", "")),
        ("oci:img:", Reference(Transport.OCI, "img", "")),
        ("oci-archive:/x/a.tar:v1", Reference(Transport.OCI_ARCHIVE, "/x/a.tar", "v1")),
        ("docker-archive:a.tar", Reference(Transport.DOCKER_ARCHIVE, "a.tar", "")),
        ("dir:/x/y:z", Reference(Transport.DIR, "/x/y:z", "")),
        ("docker://r.example/a/b:1", Reference("docker", "r.example/a/b:1", "")),
        ("containers-storage:localhost/a:1", Reference("containers-storage", "localhost/a:1")),
        ("host:5000/img", Reference(None, "host:5000/img", "")),
    ],
)
def test_reference_is_split_as_documented(text: str, expected: Reference) -> None:
    assert parse_reference(text) == expected


@pytest.mark.parametrize("prefix", ["", "oci:"])
def test_path_that_exists_with_its_colon_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "img:1").mkdir()

    reference = parse_reference(f"{prefix}img:1")

    assert (reference.path, reference.tag) == ("img:1", "")


@pytest.mark.parametrize("text", ["", "oci:", "docker://", "dir:", "a\0b"])
def test_reference_to_nothing_is_refused(text: str) -> None:
    with pytest.raises(ImageError, match="names no image"):
        parse_reference(text)


@pytest.mark.parametrize("text", ["img:a b", "img:-x", "oci:img:\u202e", "img:" + "a" * 129])
def test_malformed_tag_is_refused(text: str) -> None:
    with pytest.raises(ImageError, match="is not a tag"):
        parse_reference(text)


def test_bare_destination_is_a_layout() -> None:
    assert parse_destination("out:2") == Reference(Transport.OCI, "out", "2")


def test_archive_destination_is_kept() -> None:
    assert parse_destination("oci-archive:o.tar:2") == Reference(
        Transport.OCI_ARCHIVE, "o.tar", "2"
    )


def test_docker_archive_destination_is_refused_because_keys_would_be_lost() -> None:
    with pytest.raises(DestinationProblem, match="keys of encrypted layers would be lost"):
        parse_destination("docker-archive:out.tar")


def test_registry_destination_is_refused_with_the_push_command() -> None:
    with pytest.raises(DestinationProblem) as caught:
        parse_destination("docker://r.example/a:1")

    assert "skopeo copy" in caught.value.hint
    assert "docker://r.example/a:1" in caught.value.hint


@pytest.mark.parametrize("text", ["dir:out", "containers-storage:a:1"])
def test_destination_that_is_not_written_is_refused(text: str) -> None:
    with pytest.raises(DestinationProblem):
        parse_destination(text)
