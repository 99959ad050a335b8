"""Which parts of a line of code get which colour; per line, so that only what is seen costs time.

Roles are those of the palette's "code": key, string, number, comment. No Qt here.
"""

import re
from collections.abc import Callable, Sequence

Span = tuple[int, int, str]  # begin, length, role

_LOOK_BACK = 3000
_BLOCK_BEGINS = re.compile(r"(?:^|[:\-]\s+|\s)[|>][+-]?[0-9]?\s*(?:#.*)?$")
_YAML_KEY = re.compile(
    r"""\s*(?:- +)*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"'&*!|>%@`{\[][^#]*?)\s*:(?=\s|$)"""
)
_YAML_DASHES = re.compile(r"\s*(?:- +)*(?:-$)?")
_YAML_VALUE = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#"'](?:[^#]|(?<=\S)#)*)""")
_NUMBER = re.compile(
    r"""["']?(?:-?\d+(?:\.\d+)?(?:m|k|[KMGT]i?|%)?|true|false|null|~)["']?""", re.IGNORECASE
)
_COMMENT = re.compile(r"(?:^|\s)(#.*)$")
_TOML_KEY = re.compile(r"""\s*(\[{1,2}[^\]]*\]{1,2}|[\w."'-]+(?=\s*=))""")
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^']*')""")
_SHELL_WORD = re.compile(r"\s*([\w./-]+)")
_SLASHES = re.compile(r"(?:^|\s)(//.*)$")


def spans(language: str, line: str, *, inside: bool = False) -> list[Span]:
    """The coloured parts of a line; ``inside`` says that it belongs to a YAML block scalar."""
    if len(line) > 4000 or not line.strip():
        return []
    if language == "yaml":
        return _yaml(line, inside=inside)
    reader = _READERS.get(language)
    return reader(line) if reader else []


def block_indent(lines: Sequence[str], index: int) -> int:
    """The indentation of the key whose block scalar holds line ``index``, or -1 outside of one."""
    indent = indentation(lines[index]) if lines[index].strip() else 1 << 16
    for place in range(index - 1, max(-1, index - _LOOK_BACK), -1):
        line = lines[place]
        if not line.strip():
            continue
        own = indentation(line)
        if own < indent:
            if begins_block(line):
                return own
            indent = own
        if not own:
            break
    return -1


def indentation(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(" "))


def begins_block(line: str) -> bool:
    """Whether a block scalar begins at the end of the line."""
    return _BLOCK_BEGINS.search(line) is not None and not line.lstrip().startswith("#")


def _yaml(line: str, *, inside: bool) -> list[Span]:
    if inside:
        begin = indentation(line)
        return [(begin, len(line) - begin, "string")]
    if line.lstrip().startswith("#"):
        return [(0, len(line), "comment")]
    found: list[Span] = []
    key = _YAML_KEY.match(line)
    begin = 0
    if key:
        found.append((key.start(1), key.end(1) - key.start(1) + 1, "key"))
        begin = key.end()
    else:
        dashes = _YAML_DASHES.match(line)
        begin = dashes.end() if dashes else 0
    value = _YAML_VALUE.search(line, begin)
    if value:
        text = value.group(1).rstrip()
        role = "number" if _NUMBER.fullmatch(text) else "string"
        found.append((value.start(1), len(text), role))
        begin = value.start(1) + len(text)
    comment = _COMMENT.search(line, begin)
    if comment:
        found.append((comment.start(1), len(line) - comment.start(1), "comment"))
    return found


def _toml(line: str) -> list[Span]:
    if line.lstrip().startswith("#"):
        return [(0, len(line), "comment")]
    key = _TOML_KEY.match(line)
    found: list[Span] = [(key.start(1), key.end(1) - key.start(1), "key")] if key else []
    begin = key.end() if key else 0
    rest = line[begin:].strip(" =,")
    if _NUMBER.fullmatch(rest):
        return [*found, (line.index(rest, begin), len(rest), "number")]
    return [*found, *_all(_QUOTED, line, "string", begin)]


def _markdown(line: str) -> list[Span]:
    if line.startswith("#"):
        return [(0, len(line), "key")]
    if line.startswith("    "):
        return [(0, len(line), "string")]
    return []


def _shell(line: str) -> list[Span]:
    if line.lstrip().startswith("#"):
        return [(0, len(line), "comment")]
    word = _SHELL_WORD.match(line)
    found: list[Span] = [(word.start(1), word.end(1) - word.start(1), "key")] if word else []
    return [*found, *_all(_QUOTED, line, "string", word.end() if word else 0)]


def _groovy(line: str) -> list[Span]:
    return [*_all(_QUOTED, line, "string"), *_all(_SLASHES, line, "comment")]


def _all(pattern: re.Pattern[str], line: str, role: str, begin: int = 0) -> list[Span]:
    return [
        (found.start(1), found.end(1) - found.start(1), role)
        for found in pattern.finditer(line, begin)
    ]


_READERS: dict[str, Callable[[str], list[Span]]] = {
    "toml": _toml,
    "markdown": _markdown,
    "shell": _shell,
    "groovy": _groovy,
}
