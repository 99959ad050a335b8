import json
from pathlib import Path

import pytest

from kataui.errors import Cancelled, DestinationProblem, IntegrityError, KatauiError, KeyProblem
from kataui.findings import Verdict
from kataui.images.proof import Held
from kataui.images.protect import ProofFailed
from kataui.images.protectanswers import ProtectAnswers, problems
from kataui.images.signatures import Status
from kataui.progress import Control
from tests.images.builders import tiny_docker_archive, tiny_layout, tiny_oci_archive
from tests.images.protecting import (
    answers,
    blob,
    ids,
    image_entry,
    judge,
    manifest_of,
    replace_layer,
    run,
)


def test_everything_is_encrypted_signed_and_proved(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")

    done = run(answers(source, tmp_path / "out", keys))

    assert done.proof.verdict is Verdict.PASS
    assert [part.held for part in done.proof.parts] == [Held.YES] * 5
    layers = manifest_of(tmp_path / "out")["layers"]
    assert all(layer["mediaType"].endswith("+encrypted") for layer in layers)
    assert judge(tmp_path / "out", keys, private=(keys.private,)).verdict is Verdict.PASS


def test_source_is_not_touched(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in source.rglob("*") if p.is_file()}

    run(answers(source, tmp_path / "out", keys))

    after = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in source.rglob("*") if p.is_file()}
    assert after == before


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("make", [tiny_layout, tiny_oci_archive])
def test_every_compression_is_proved(tmp_path, keys, make, compression):
    source = make(tmp_path / "source", compression=compression)

    assert run(answers(source, tmp_path / "out", keys)).proof.verdict is Verdict.PASS


def test_docker_archive_becomes_an_oci_image(tmp_path, keys):
    source = tiny_docker_archive(tmp_path / "source.tar")

    done = run(answers(source, tmp_path / "out", keys))

    assert done.proof.verdict is Verdict.PASS
    manifest = manifest_of(tmp_path / "out")
    assert manifest["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"
    kinds = {layer["mediaType"] for layer in manifest["layers"]}
    assert kinds == {"application/vnd.oci.image.layer.v1.tar+encrypted"}


def test_archive_destination_is_proved_and_whole(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")

    done = run(answers(source, Path(f"oci-archive:{tmp_path / 'out.tar'}"), keys))

    assert done.proof.verdict is Verdict.PASS
    report = judge(f"oci-archive:{tmp_path / 'out.tar'}:1", keys, private=(keys.private,))
    assert report.verdict is Verdict.PASS


def test_all_platforms_of_an_index_are_encrypted_and_signed(tmp_path, keys):
    source = tiny_layout(tmp_path / "source", platforms=("linux/amd64", "linux/arm64"))

    done = run(answers(source, tmp_path / "out", keys))

    assert done.proof.verdict is Verdict.PASS
    assert len(done.written.signed) == 3
    statuses = [item.status for item in done.proof.report.signatures]
    assert statuses == [Status.VALID] * 3


def test_one_platform_of_an_index_can_be_chosen(tmp_path, keys):
    source = tiny_layout(tmp_path / "source", platforms=("linux/amd64", "linux/arm64"))

    done = run(answers(source, tmp_path / "out", keys, platform="linux/arm64"))

    images = done.proof.report.images
    assert [str(item.image.config.platform) for item in images] == ["linux/arm64"]


def test_only_chosen_layers_are_encrypted_and_that_is_a_warning(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")

    done = run(answers(source, tmp_path / "out", keys, layers="-1,1"))

    kinds = [layer["mediaType"] for layer in manifest_of(tmp_path / "out")["layers"]]
    assert [kind.endswith("+encrypted") for kind in kinds] == [False, True, True]
    assert done.proof.verdict is Verdict.PASS
    assert "IMG-PARTLY" in {finding.id for finding in done.proof.findings}


def test_layers_above_the_base_are_those_of_the_given_number(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")

    run(answers(source, tmp_path / "out", keys, layers="above-base", base="2"))

    kinds = [layer["mediaType"] for layer in manifest_of(tmp_path / "out")["layers"]]
    assert [kind.endswith("+encrypted") for kind in kinds] == [False, False, True]


def test_plain_tar_layers_that_stay_open_are_gzipped(tmp_path, keys):
    source = tiny_layout(tmp_path / "source", compression="none")

    run(answers(source, tmp_path / "out", keys, layers="2"))

    kinds = [layer["mediaType"] for layer in manifest_of(tmp_path / "out")["layers"]]
    assert kinds[0].endswith(".tar+gzip")
    assert kinds[2].endswith(".tar+encrypted")


def test_broker_key_makes_a_guest_image_and_proves_itself(tmp_path, keys):
    source = tiny_layout(tmp_path / "source", compression="zstd")

    done = run(answers(source, tmp_path / "out", keys, recipients=(keys.broker,), keys=()))

    assert done.proof.verdict is Verdict.PASS
    for layer in manifest_of(tmp_path / "out")["layers"]:
        assert layer["mediaType"].endswith(".tar+gzip+encrypted")
        names = {name for name in layer["annotations"] if ".enc." in name}
        assert names == {
            "org.opencontainers.image.enc.pubopts",
            "org.opencontainers.image.enc.keys.provider.attestation-agent",
        }


def test_broker_key_is_not_mixed_with_others(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    mixed = (keys.broker, keys.recipient)

    with pytest.raises(KeyProblem, match="cannot be mixed"):
        run(answers(source, tmp_path / "out", keys, recipients=mixed))


def test_all_recipients_are_proved_when_their_keys_are_at_hand(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    both = answers(
        source,
        tmp_path / "out",
        keys,
        recipients=(keys.recipient, keys.other_recipient, f"pkcs7:{keys.certificate}"),
        keys=(keys.private, keys.other_private, keys.certificate, keys.certificate_key),
    )

    opened = run(both).proof.report.images[0].layers[0].opened_by

    assert set(opened) == {"rsa.key", "ec.key", "cert.key"}


def test_without_a_private_key_the_result_is_kept_and_unknown(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")

    done = run(answers(source, tmp_path / "out", keys, keys=()))

    assert done.proof.verdict is Verdict.UNKNOWN
    assert "the private key is not here" in done.proof.sentence
    assert (tmp_path / "out" / "index.json").is_file()


def test_wrong_private_key_is_unknown_not_pass(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")

    done = run(answers(source, tmp_path / "out", keys, keys=(keys.other_private,)))

    assert done.proof.verdict is Verdict.UNKNOWN


def test_a_failed_proof_leaves_no_destination(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    other = tiny_layout(tmp_path / "other", layers=[b"not a tar at all" * 60] * 3)
    layer = blob(other, manifest_of(other)["layers"][0]["digest"]).read_bytes()
    replace_layer(source, 1, layer)  # its digest is right, its diff_id is not

    with pytest.raises(ProofFailed, match="The proof failed"):
        run(answers(source, tmp_path / "out", keys))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "source"]


def test_damaged_source_is_refused_and_nothing_is_left(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    place = blob(source, manifest_of(source)["layers"][1]["digest"])
    place.write_bytes(place.read_bytes()[:-1] + b"x")

    with pytest.raises(IntegrityError, match="layer 1 is not what its digest"):
        run(answers(source, tmp_path / "out", keys))

    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_existing_destination_is_not_overwritten(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")

    with pytest.raises(DestinationProblem, match="exists already"):
        run(answers(source, tmp_path / "out", keys))
    with pytest.raises(DestinationProblem, match="no image"):
        run(answers(source, tmp_path / "out", keys, force=True))

    assert (tmp_path / "out" / "mine").read_text() == "precious"


def test_force_replaces_an_image(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    first = run(answers(source, tmp_path / "out", keys))

    second = run(answers(source, tmp_path / "out", keys, force=True))

    assert second.proof.report.digest != first.proof.report.digest
    assert image_entry(tmp_path / "out")["digest"] == str(second.proof.report.digest)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]


def test_docker_archive_destination_is_refused_with_the_reason(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    target = Path(f"docker-archive:{tmp_path / 'out.tar'}")

    with pytest.raises(DestinationProblem, match="key"):
        run(answers(source, target, keys))


@pytest.mark.parametrize("moment", range(1, 12))
def test_cancelling_at_any_report_leaves_nothing(tmp_path, keys, moment):
    source = tiny_layout(tmp_path / "source")
    seen = 0

    def on_progress(_):
        nonlocal seen
        seen += 1
        if seen == moment:
            control.cancel()

    control = Control(on_progress, interval_s=0)

    with pytest.raises(Cancelled):
        run(answers(source, tmp_path / "out", keys), control)

    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_encrypting_twice_gives_other_keys_and_digests(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    run(answers(source, tmp_path / "one", keys))
    run(answers(source, tmp_path / "two", keys))

    one = {layer["digest"] for layer in manifest_of(tmp_path / "one")["layers"]}
    two = {layer["digest"] for layer in manifest_of(tmp_path / "two")["layers"]}

    assert not one & two


def test_receipt_says_what_was_done_and_holds_no_secret(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    receipt = tmp_path / "r.json"

    done = run(answers(source, tmp_path / "out", keys, receipt=str(receipt)))

    value = json.loads(receipt.read_text())
    assert value["version"] == 1
    assert value["verdict"] == "pass"
    assert value["pin"] == f"registry.example.org/team/app@{done.proof.report.digest}"
    assert value["network"] == "none used"
    assert value["versions"]["kataui"]
    assert [check["held"] for check in value["checks"]] == ["yes"] * 5
    assert "PRIVATE KEY" not in receipt.read_text()
    assert str(done.proof.report.digest) in (tmp_path / "r.html").read_text()
    assert (tmp_path / "r.json.sigstore.json").is_file()


def test_receipt_is_refused_before_work_when_it_exists(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    (tmp_path / "r.json").write_text("mine")

    with pytest.raises(DestinationProblem, match="exists already"):
        run(answers(source, tmp_path / "out", keys, receipt=str(tmp_path / "r.json")))

    assert not (tmp_path / "out").exists()
    assert (tmp_path / "r.json").read_text() == "mine"


def test_layer_out_of_range_is_an_error(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")

    with pytest.raises(KatauiError, match="3"):
        run(answers(source, tmp_path / "out", keys, layers="3"))


def test_hostile_tag_and_labels_reach_the_page_as_text(tmp_path, keys):
    source = tiny_layout(tmp_path / "so<script>urce")
    receipt = tmp_path / "r.json"

    run(answers(source, tmp_path / "out", keys, receipt=str(receipt)))

    assert "<script>" not in (tmp_path / "r.html").read_text()


def test_old_signatures_are_not_carried_over(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    run(answers(source, tmp_path / "one", keys, layers="2"))

    run(answers(f"{tmp_path / 'one'}:1", tmp_path / "two", keys))

    report = judge(tmp_path / "two", keys, private=(keys.private,))
    assert report.verdict is Verdict.PASS
    assert len(report.signatures) == 1
    assert "IMG-SIG-STALE" not in ids(report)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": ""}, "source"),
        ({"recipients": ()}, "recipients"),
        ({"recipients": ("jwe:/nowhere",)}, "recipients"),
        ({"sign_key": ""}, "sign_key"),
        ({"sign_key": "/nowhere"}, "sign_key"),
        ({"identity": ""}, "identity"),
        ({"identity": "registry.example.org/app:1"}, "identity"),
        ({"identity": "app"}, "identity"),
        ({"destination": ""}, "destination"),
        ({"destination": "docker-archive:/x"}, "destination"),
    ],
)
def test_problems_name_the_field(tmp_path, keys, change, field):
    whole = answers(tmp_path / "source", tmp_path / "out", keys)

    assert problems(whole) == ()
    wrong = problems(answers(tmp_path / "source", tmp_path / "out", keys, **change))
    assert [problem.field for problem in wrong] == [field]


def test_the_command_line_says_the_same_as_the_answers(keys, tmp_path):
    asked = answers(
        "s", tmp_path / "o", keys, layers="above-base", base="2", bundle=True, receipt="r.json"
    )

    words = asked.as_command()

    assert words[:4] == ["kataui", "image", "protect", "s"]
    assert words[words.index("--layers") + 1] == "above-base"
    assert words[words.index("--key") + 1] == keys.private
    assert "--bundle" in words
    assert "--force" not in words
    assert ProtectAnswers(source="s", destination="o").as_command() == [
        *("kataui", "image", "protect", "s", "o")
    ]
