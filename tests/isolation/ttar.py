"""A small reader of ttar archives (the text archives of the Prometheus projects).

Source: https://github.com/ideaship/ttar: ``Path:``, ``Lines:`` and that many lines, or
``SymlinkTo:``, or ``Directory:``; in the lines, ``NULLBYTE`` is a zero byte, a backslash before it
keeps it as it is, and ``EOF`` at the end of the last line says that no newline ends the file.
"""

from pathlib import Path


def read(path: Path) -> dict[str, bytes]:
    """Path to content of every file; folders and symbolic links are left out."""
    lines = path.read_text(encoding="utf-8").split("\n")
    found: dict[str, bytes] = {}
    at, name = 0, ""
    while at < len(lines):
        word, _, value = lines[at].partition(": ")
        at += 1
        if word == "Path":
            name = value
        elif word == "Lines":
            count = int(value)
            found[name] = _content(lines[at : at + count])
            at += count
    return found


def _content(lines: list[str]) -> bytes:
    text = "".join(f"{line}\n" for line in lines).removesuffix("EOF\n")
    kept = text.replace("\\NULLBYTE", "\1").replace("NULLBYTE", "\0").replace("\1", "NULLBYTE")
    return kept.encode()
