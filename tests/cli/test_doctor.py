"""``kataui doctor``: text, JSON, a file, and its exit status."""

import json


def test_doctor_tells_every_part(kataui, tmp_path):
    status, out, _ = kataui("doctor", "--json")
    value = json.loads(out)

    assert status == (0 if value["complete"] else 3)
    assert {"python", "qt", "fonts", "kvm", "skopeo", "ssh", "resctrl"} <= {
        part["id"] for part in value["parts"]
    }


def test_doctor_writes_text_or_json_by_the_name(kataui, tmp_path):
    assert kataui("doctor", "--out", tmp_path / "a.json")[0] in {0, 3}
    assert "parts" in json.loads((tmp_path / "a.json").read_text())
    kataui("doctor", "--out", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text().startswith("kataui ")
