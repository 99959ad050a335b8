"""``kataui image estimate`` as scripts use it."""

import json

from tests.images.builders import tiny_layout


def test_each_choice_is_told_with_where_its_figures_come_from(kataui, tmp_path) -> None:
    tiny_layout(tmp_path / "app")
    status, out, _ = kataui("image", "estimate", "app", "--base", "1", "--nodes", "7", "--json")
    value = json.loads(out)
    assert status == 0
    assert [one["layers"] for one in value["estimates"]] == ["none", "above-base", "all"]
    nothing, above, everything = value["estimates"]
    assert nothing["encrypted_bytes"] == 0
    assert 0 < above["encrypted_bytes"] < everything["encrypted_bytes"]
    assert everything["encrypted_bytes"] == everything["total_bytes"]
    assert all(one["nodes"] == 7 and all(one["sources"].values()) for one in value["estimates"])


def test_images_that_share_a_layer_cost_disk_together(kataui, tmp_path) -> None:
    tiny_layout(tmp_path / "app")
    tiny_layout(tmp_path / "other", env=("A=1",))
    status, out, _ = kataui("image", "estimate", "app", "other", "--layers", "all", "--json")
    (found,) = json.loads(out)["estimates"]
    assert status == 0
    assert found["node_disk_bytes"] == found["total_bytes"] / 2


def test_bad_input_is_told(kataui, tmp_path) -> None:
    assert kataui("image", "estimate", "absent")[0] == 2
    tiny_layout(tmp_path / "app")
    assert kataui("image", "estimate", "app", "--nodes", "0")[0] == 2
    assert kataui("image", "estimate", "app", "--base", "99")[0] == 2
