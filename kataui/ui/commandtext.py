"""Commands broken into lines that a person can read and a shell still takes."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

_MOST_COLUMNS = 58
_NEXT = " \\\n    "
Options = Mapping[str, str | bool | Sequence[str]]


def broken(commands: Sequence[str]) -> str:
    """Shell commands, one after the other; long ones go on in indented lines.

    An option stays beside the word that follows it.
    """
    return "\n".join(_broken(command) for command in commands)


def script(commands: str) -> str:
    """The commands as a file to run; it stops at the first that fails."""
    return f"#!/bin/sh\n# Made by kataui.\nset -e\n{commands}\n"


def _broken(command: str) -> str:
    lines: list[str] = []
    for part in _parts(shlex.split(command)):
        room = _MOST_COLUMNS if len(lines) < 2 else _MOST_COLUMNS - 4
        if lines and len(lines[-1]) + 1 + len(part) <= room:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return _NEXT.join(lines)


def _parts(words: Sequence[str]) -> Iterator[str]:
    """Single words, and options with what follows them."""
    option = ""
    for word in words:
        quoted = shlex.quote(word)
        if word.startswith("--"):
            if option:
                yield option
            option = quoted
        else:
            yield f"{option} {quoted}".strip()
            option = ""
    if option:
        yield option


def command(verb: str, operands: Sequence[str], options: Options) -> list[str]:
    """``kataui VERB OPERANDS`` with the options that are not empty; a true one stands alone."""
    words = ["kataui", *verb.split(), *operands]
    for name, value in options.items():
        if value is True:
            words.append(name)
        elif value:
            values = (value,) if isinstance(value, str) else value
            words += [word for one in values or () for word in (name, one)]
    return words
