"""Exchanging a key in a folder of images."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kataui.errors import Cancelled, ImageError, KeyProblem
from kataui.findings import Verdict
from kataui.images.cosignkey import load_signing_key
from kataui.images.keymaking import new_key
from kataui.images.keyrotate import Exchange, Outcome, rotate
from kataui.images.keys import load_keys
from kataui.images.recipients import parse_recipient
from kataui.images.verdict import Need
from kataui.progress import Control
from tests.images.builders import tiny_layout
from tests.images.protecting import (
    IDENTITY,
    add_entry,
    answers,
    blob,
    image_entry,
    judge,
    manifest_of,
    run,
)

ENCRYPTED = frozenset({Need.ENCRYPTED})


@pytest.fixture
def folder(tmp_path, keys):
    """One image for the old key, one for others, one plain, and what is no image."""
    place = tmp_path / "images"
    place.mkdir()
    source = tiny_layout(tmp_path / "source")
    run(answers(source, place / "mine", keys))
    run(
        replace(
            answers(source, place / "theirs", keys), recipients=(keys.other_recipient,), keys=()
        )
    )
    tiny_layout(place / "plain")
    (place / "notes").mkdir()
    (place / "file.txt").write_text("x")
    return place


@pytest.fixture
def new(tmp_path):
    """The new key pair."""
    return new_key("jwe", tmp_path / "new", algorithm="p256")


def exchange(private, *add: str, remove=(), sign_key: Path | None = None) -> Exchange:
    return Exchange(
        load_keys((private,) if isinstance(private, str) else private, lambda _: ""),
        tuple(parse_recipient(text) for text in add),
        remove,
        load_signing_key(sign_key, lambda _: "") if sign_key else None,
    )


def opens(layout: Path | str, private: str) -> bool:
    return judge(layout, private=(private,), require=ENCRYPTED).verdict is Verdict.PASS


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_new_key_opens_what_the_old_one_did(folder, keys, new):
    layers = [layer["digest"] for layer in manifest_of(folder / "mine")["layers"]]
    others = snapshot(folder / "theirs"), snapshot(folder / "plain")

    done = rotate(folder, exchange(keys.private, f"jwe:{new.public}"))

    told = {Path(one.reference).name: one.outcome for one in done}
    assert told == {
        "mine:1": Outcome.CHANGED,
        "plain:1": Outcome.SKIPPED,
        "theirs:1": Outcome.SKIPPED,
    }
    assert opens(folder / "mine", str(new.private))
    assert not opens(folder / "mine", keys.private)
    assert [layer["digest"] for layer in manifest_of(folder / "mine")["layers"]] == layers
    assert (snapshot(folder / "theirs"), snapshot(folder / "plain")) == others
    assert done[0].digest == image_entry(folder / "mine")["digest"]
    assert {item.id for item in done[0].findings} == {"IMG-SIG-DROPPED", "IMG-OLD-COPY"}


def test_a_dry_run_tells_the_same_and_writes_nothing(folder, keys, new):
    before = snapshot(folder)

    done = rotate(folder, exchange(keys.private, f"jwe:{new.public}"), dry_run=True)

    assert [one.outcome for one in done] == [
        Outcome.WOULD_CHANGE,
        Outcome.SKIPPED,
        Outcome.SKIPPED,
    ]
    assert snapshot(folder) == before


def test_what_was_signed_is_signed_again_for_the_same_repository(folder, keys, new):
    done = rotate(folder, exchange(keys.private, f"jwe:{new.public}", sign_key=keys.sign_key))

    assert done[0].identity == IDENTITY
    assert {item.id for item in done[0].findings} == {"IMG-OLD-COPY"}
    report = judge(folder / "mine", keys, private=(str(new.private),), identity=IDENTITY)
    assert report.verdict is Verdict.PASS


def test_bundles_are_made_again_too(tmp_path, keys, new):
    run(answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys, bundle=True))

    rotate(tmp_path / "out", exchange(keys.private, f"jwe:{new.public}", sign_key=keys.sign_key))

    forms = {item.form.value for item in judge(tmp_path / "out", keys).signatures}
    assert forms == {"cosign", "bundle"}


def test_another_signers_image_is_not_signed_by_us(folder, keys, new):
    done = rotate(folder, exchange(keys.private, f"jwe:{new.public}", sign_key=keys.foreign_key))

    assert done[0].outcome is Outcome.CHANGED
    assert done[0].identity == ""
    assert "IMG-SIG-DROPPED" in {item.id for item in done[0].findings}
    assert judge(folder / "mine", keys).signatures == ()


def test_one_that_cannot_be_changed_does_not_stop_the_others(folder, keys, new):
    broken = folder / "broken"
    shutil.copytree(folder / "mine", broken)
    place = blob(broken, image_entry(broken)["digest"])
    place.write_bytes(place.read_bytes() + b" ")
    before = snapshot(broken)

    done = rotate(folder, exchange(keys.private, f"jwe:{new.public}"))

    assert [one.outcome for one in done][:2] == [Outcome.FAILED, Outcome.CHANGED]
    assert snapshot(broken) == before
    assert opens(folder / "mine", str(new.private))


def test_every_tag_and_every_image_of_a_layout_is_done_once(folder, keys, new):
    add_entry(folder / "mine", image_entry(folder / "mine"), "stable")

    done = rotate(folder / "mine", exchange(keys.private, f"jwe:{new.public}"))

    assert [one.outcome for one in done] == [Outcome.CHANGED]
    for tag in ("1", "stable"):
        assert opens(f"{folder / 'mine'}:{tag}", str(new.private))


def test_every_platform_is_done(tmp_path, keys, new):
    platforms = ("linux/amd64", "linux/arm64")
    source = tiny_layout(tmp_path / "source", platforms=platforms)
    run(answers(source, tmp_path / "out", keys, platform="all"))

    rotate(tmp_path / "out", exchange(keys.private, f"jwe:{new.public}"))

    report = judge(tmp_path / "out", private=(str(new.private),), require=ENCRYPTED)
    assert len(report.images) == 2
    assert report.verdict is Verdict.PASS


def test_others_who_open_it_stay(tmp_path, keys, new):
    asked = answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys)
    run(replace(asked, recipients=(keys.recipient, keys.other_recipient)))

    rotate(tmp_path / "out", exchange(keys.private, f"jwe:{new.public}"))

    assert opens(tmp_path / "out", keys.other_private)
    assert opens(tmp_path / "out", str(new.private))
    assert not opens(tmp_path / "out", keys.private)


def test_whom_to_remove_can_be_said(tmp_path, keys, new):
    asked = answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys)
    run(replace(asked, recipients=(keys.recipient, keys.other_recipient)))

    (one,) = rotate(
        tmp_path / "out",
        exchange(keys.private, f"jwe:{new.public}", remove=(keys.other_recipient,)),
    )

    assert "the old one opens it as well" in one.sentence
    assert not opens(tmp_path / "out", keys.other_private)


def test_a_brokers_key_is_replaced_by_one_of_the_same_name(tmp_path, keys):
    asked = answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys)
    run(replace(asked, recipients=(keys.broker,), keys=()))
    new_key("kbs", tmp_path / "next")
    kid = keys.broker.partition("=")[0]

    (one,) = rotate(
        tmp_path / "out",
        exchange(str(keys.folder / "broker.key"), f"{kid}={tmp_path / 'next.key'}"),
    )

    assert one.outcome is Outcome.CHANGED
    assert opens(tmp_path / "out", f"{kid}={tmp_path / 'next.key'}")
    assert not opens(tmp_path / "out", keys.broker)


def test_a_certificate_is_replaced(tmp_path, keys, new):
    asked = answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys)
    run(replace(asked, recipients=(f"pkcs7:{keys.certificate}",), keys=()))

    (one,) = rotate(
        tmp_path / "out",
        exchange((keys.certificate_key, keys.certificate), f"jwe:{new.public}"),
    )

    assert one.sentence == "It is wrapped for the new key, and the old one opens it no more."
    assert opens(tmp_path / "out", str(new.private))


def test_a_guests_image_gets_no_second_recipient(tmp_path, keys, new):
    asked = answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys)
    run(replace(asked, recipients=(keys.recipient, keys.other_recipient)))
    before = snapshot(tmp_path / "out")

    (one,) = rotate(tmp_path / "out", exchange(keys.private, keys.broker))

    assert one.outcome is Outcome.FAILED
    assert "one kbs: recipient only" in one.sentence
    assert (tmp_path / "out" / "index.json").read_bytes() == before[
        str(tmp_path / "out" / "index.json")
    ]


def test_a_folder_without_images_or_a_new_key_is_refused(folder, keys, new):
    with pytest.raises(ImageError, match="no OCI layout"):
        rotate(folder / "notes", exchange(keys.private, f"jwe:{new.public}"))
    with pytest.raises(ImageError, match="Cannot read"):
        rotate(folder / "absent", exchange(keys.private, f"jwe:{new.public}"))
    with pytest.raises(KeyProblem, match="Nobody takes"):
        rotate(folder, exchange(keys.private))


def test_cancelling_says_how_many_were_changed(folder, keys, new):
    control = Control()
    control.cancel()

    with pytest.raises(Cancelled, match="0 images were changed"):
        rotate(folder, exchange(keys.private, f"jwe:{new.public}"), control=control)
