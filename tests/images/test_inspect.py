from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kataui.errors import ImageError
from kataui.findings import Severity
from kataui.images.inspect import (
    Base,
    find_base,
    layer_rows,
    readable_facts,
    select_layers,
)
from kataui.images.model import Image
from kataui.images.open import open_source
from tests.images.builders import tar_bytes, three_layers, tiny_layout

ON_DEBIAN = [
    {"created_by": "/bin/sh -c #(nop) ADD file:abcdef012345abcdef in / "},
    {"created_by": '/bin/sh -c #(nop)  CMD ["bash"]', "empty_layer": True},
    {"created_by": "RUN /bin/sh -c apt-get install -y tzdata # buildkit"},
    {"created_by": "COPY src/ /srv/app # buildkit"},
    {"created_by": 'CMD ["/srv/app/start"]', "empty_layer": True},
]


def image(folder: Path, **settings: Any) -> Image:
    with open_source(str(tiny_layout(folder, **settings))) as source:
        return source.images[0]


def leaks(found: Image) -> list[str]:
    return [fact.subject for fact in readable_facts(found) if fact.id == "IMG-LEAK-SECRET"]


def test_rows_tell_what_each_layer_is(tmp_path: Path) -> None:
    opened = image(tmp_path, history=ON_DEBIAN)

    rows = layer_rows(opened, find_base(opened, "1"))

    assert [row.name for row in rows] == ["Base files", "Packages: tzdata", "Files in /srv/app"]
    assert [row.origin for row in rows] == ["base", "own", "own"]
    assert rows[2].command == "COPY src/ /srv/app"
    assert rows[2].size_bytes == opened.layers[2].descriptor.size_bytes
    assert not any(row.encrypted or row.schemes or row.recipients for row in rows)


def test_rows_of_an_unknown_base_say_so(tmp_path: Path) -> None:
    opened = image(tmp_path)

    assert {row.origin for row in layer_rows(opened, find_base(opened))} == {"unknown"}


def test_rows_tell_the_recipients(shared: Path) -> None:
    place = shared / "fixtures" / "peers" / "enc" / "layers-0-and-last.skopeo-1.22"
    with open_source(str(place)) as source:
        opened = source.images[0]

    rows = layer_rows(opened, Base(None, "", "unknown"))

    assert [row.encrypted for row in rows] == [True, False, True]
    assert rows[0].schemes == ("jwe",)
    assert rows[0].recipients
    assert (rows[1].schemes, rows[1].recipients) == ((), "")


def test_base_is_only_suggested_from_the_history(tmp_path: Path) -> None:
    base = find_base(image(tmp_path, history=ON_DEBIAN))

    assert (base.count, base.guessed) == (1, True)
    assert "guessed" in base.how


@pytest.mark.parametrize(
    "history",
    [
        [],
        [{"created_by": "RUN a"}] * 3,
        [*ON_DEBIAN[:2], *ON_DEBIAN[2:3]],  # another number of layers
        [*[{"created_by": "RUN a"}] * 3, {"created_by": "CMD x", "empty_layer": True}],
    ],
)
def test_base_is_unknown_without_a_sign(tmp_path: Path, history: Sequence[dict[str, Any]]) -> None:
    assert find_base(image(tmp_path, history=history)).count is None


def test_annotation_names_the_base(tmp_path: Path) -> None:
    annotations = {
        "org.opencontainers.image.base.name": "docker.io/library/debian:12",
        "org.opencontainers.image.base.digest": "sha256:" + "a" * 64,
    }

    base = find_base(image(tmp_path, annotations=annotations))

    assert base.name == "docker.io/library/debian:12@sha256:" + "a" * 64
    assert base.count is None
    assert "annotation" in base.how


def test_base_image_is_compared_by_diff_ids(tmp_path: Path) -> None:
    base_layout = tiny_layout(tmp_path / "base", layers=three_layers()[:2], compression="zstd")
    opened = image(tmp_path / "img")

    base = find_base(opened, str(base_layout))

    assert (base.count, base.guessed) == (2, False)
    assert select_layers("above-base", opened, base) == (2,)


def test_other_base_image_is_refused(tmp_path: Path) -> None:
    other = tiny_layout(tmp_path / "base", layers=[tar_bytes({"other": b""})])

    with pytest.raises(ImageError, match="is not the base"):
        find_base(image(tmp_path / "img"), str(other))


def test_base_with_more_layers_than_the_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot have 4 layers"):
        find_base(image(tmp_path), "4")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("all", (0, 1, 2)), ("0,2", (0, 2)), ("-1", (2,)), ("2, 0", (0, 2)), ("-3", (0,)),
     ("above-base", (1, 2))],
)  # fmt: skip
def test_layers_are_selected(tmp_path: Path, text: str, expected: tuple[int, ...]) -> None:
    assert select_layers(text, image(tmp_path), Base(1, "", "given")) == expected


@pytest.mark.parametrize(
    "text", ["", "3", "-4", "0,0", "2,-1", "a", "0,", "1.5", "٣", "0-2", "99999999", "ALL"]
)
def test_wrong_selection_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ImageError):
        select_layers(text, image(tmp_path), Base(1, "", "given"))


@pytest.mark.parametrize(
    "base", [Base(None, "", "unknown"), Base(1, "", "guessed", guessed=True), Base(3, "", "given")]
)
def test_above_base_needs_a_base_that_is_known(tmp_path: Path, base: Base) -> None:
    with pytest.raises(ImageError) as caught:
        select_layers("above-base", image(tmp_path), base)

    assert "--layers all" in caught.value.hint


def test_secret_in_the_environment_is_an_error_and_masked(tmp_path: Path) -> None:
    opened = image(tmp_path, env=["PAYMENT_API_KEY=sk_live_4eC39HqLyjWDarjtT1zdp7dc", "LANG=C"])

    fact = readable_facts(opened)[0]

    assert (fact.id, fact.severity) == ("IMG-LEAK-SECRET", Severity.ERROR)
    assert fact.subject == "PAYMENT_API_KEY=sk_l••••••••"
    assert fact.message == "A likely secret in the environment"
    assert "4eC39" not in repr(readable_facts(opened))


def test_secrets_in_labels_history_and_annotations_are_found(tmp_path: Path) -> None:
    opened = image(
        tmp_path,
        labels={"deploy.token": "abcdefghijklmnop"},
        annotations={"x.password": "hunter22"},
        history=[{"created_by": "|1 NPM_TOKEN=abcdef123456 /bin/sh -c npm ci"}] * 3,
    )

    assert leaks(opened) == [
        "deploy.token=abcd••••••••",
        "x.password=hu••••••••",
        "NPM_TOKEN=abcd••••••••",
    ]


def test_what_encryption_never_hides_is_told(tmp_path: Path) -> None:
    facts = {fact.id: fact for fact in readable_facts(image(tmp_path, labels={"team": "shop"}))}

    assert set(facts) == {
        "IMG-LEAK-HISTORY", "IMG-LEAK-SETTINGS", "IMG-LEAK-START", "IMG-LEAK-SIZES",
        "IMG-LEAK-DIFFID",
    }  # fmt: skip
    assert facts["IMG-LEAK-HISTORY"].why == "3 history lines name files and packages."
    assert facts["IMG-LEAK-SETTINGS"].why.startswith("1 label and 1 variable")
