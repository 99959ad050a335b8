import pytest

from kataui.images.history import clean_command, short_name


@pytest.mark.parametrize(
    ("raw", "command"),
    [
        ('/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'),
        ("/bin/sh -c apt-get update", "apt-get update"),
        ("RUN /bin/sh -c make # buildkit", "make"),
        ("|2 A=1 B= /bin/sh -c make all", "make all"),
        ("RUN |1 A=1 /bin/sh -c make # buildkit", "make"),
        ("COPY src/ /srv/app # buildkit", "COPY src/ /srv/app"),
        ("/bin/sh -c #(nop) ADD file:" + "ab" * 32 + " in / ", "ADD /"),
        ("umoci insert", "umoci insert"),
        ("RUN a \\\n\t && b", "RUN a \\ && b"),
        ("evil \x1b[2J\u202e", "evil \ufffd[2J\ufffd"),
        ("", ""),
    ],
)
def test_command_is_made_readable(raw: str, command: str) -> None:
    assert clean_command(raw) == command


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("/bin/sh -c #(nop) ADD file:" + "ab" * 32 + " in / ", "Base files"),
        ("ADD rootfs.tar.xz / # buildkit", "Base files"),
        ("COPY --chown=1:1 src/ /srv/app # buildkit", "Files in /srv/app"),
        ("RUN /bin/sh -c apt-get update && apt-get install -y ca-certificates tzdata && rm x",
         "Packages: ca-certificates, tzdata"),
        ("RUN /bin/sh -c apk add --no-cache a b c d e", "Packages: a, b, c and 2 more"),
        ("RUN /bin/sh -c pip install -r requirements.txt # buildkit", "Python packages"),
        ("RUN /bin/sh -c npm ci", "Node packages"),
        ("umoci insert", "umoci insert"),
        ("", "Layer 0"),
    ],
)  # fmt: skip
def test_layer_gets_a_short_name(raw: str, name: str) -> None:
    assert short_name(raw, 0) == name


def test_enormous_command_is_cut() -> None:
    assert len(clean_command("x" * 1_000_000)) <= 4096
    assert len(short_name("RUN apt-get install " + "x" * 1_000_000, 0)) <= 60
