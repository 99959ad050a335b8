#!/usr/bin/env python3
"""What there is to translate, read from the sources: ``packaging/words.py [LANGUAGE]``.

Prints, as JSON, the texts that the language's file lacks, or all texts. ``{}`` in a text stands
for what is filled in. What counts as a text is a guess by its look, the same for every language: a
sentence, a title, a noun that is counted. Names of formats and fields are none.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
_SENTENCE = re.compile(r"[A-Z“{].* |.* .*[.…:?]$|[a-z]+,? [a-z]+", re.DOTALL)
_TITLE = re.compile(r"[A-Z][a-z]+(?:…|\?|-[a-z]+)?")
_WORDS = re.compile(r"[A-Za-z][a-z' -]+")
_COUNTED = re.compile(r"_?(?:count\w*|many|number|plural|some|times)")
_QUIET = {"compile", "getLogger", "debug", "info", "warning", "error", "exception", "glob", "rglob"}
_QUIET |= {"command"}  # the words of a command line
_TEMPLATE_FIELDS = {"title", "why", "summary", "help", "group", "note", "caption", "problem"}


def texts(root: Path = ROOT) -> dict[str, str]:
    """Every text, with the file that it was first seen in."""
    found: dict[str, str] = {}
    for path in sorted((root / "kataui").rglob("*.py")):
        if {"cli", "collector"}.isdisjoint(path.parts):
            for text in _of_module(path):
                found.setdefault(text, str(path.relative_to(root)))
    for path in sorted((root / "resources").rglob("*")):
        if path.suffix == ".yaml" or path.name == "catalogue.json":
            for text in _of_data(yaml.safe_load(path.read_text(encoding="utf-8"))):
                found.setdefault(text, str(path.relative_to(root)))
    return found


def missing(language: str, root: Path = ROOT) -> dict[str, str]:
    """The texts that the language's file does not have."""
    path = root / "resources" / "languages" / f"{language}.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {text: place for text, place in texts(root).items() if text not in known}


def _of_data(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _of_data(item)
    if isinstance(value, dict):
        for name, item in value.items():
            if name in _TEMPLATE_FIELDS and isinstance(item, str) and item.strip():
                yield item.strip()
            yield from _of_data(item)


def _of_module(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = _silent(tree)
    parts = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
        for part in node.values if isinstance(part, ast.Constant)
    }  # fmt: skip
    in_window = "ui" in path.parts
    for node in ast.walk(tree):
        if id(node) in silent or id(node) in parts:
            continue
        if isinstance(node, ast.JoinedStr):
            text = _template(node)
            if _is_text(text, in_window=in_window):
                yield text
            yield from _words_inside(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _is_text(node.value, in_window=in_window):
                yield node.value
        elif isinstance(node, ast.Call) and _COUNTED.fullmatch(_name(node)):
            yield from _counted(node)


def _template(node: ast.JoinedStr) -> str:
    return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)


def _words_inside(node: ast.JoinedStr) -> Iterator[str]:
    """Words that are chosen between inside a text."""
    for part in ast.walk(node):
        for value in (part.body, part.orelse) if isinstance(part, ast.IfExp) else ():
            word = value.value if isinstance(value, ast.Constant) else ""
            if isinstance(word, str) and _WORDS.fullmatch(word.strip()):
                yield word.strip()


def _counted(node: ast.Call) -> Iterator[str]:
    nouns = [
        item.value
        for item in node.args
        if isinstance(item, ast.Constant)
        and isinstance(item.value, str)
        and _WORDS.fullmatch(item.value)
    ]
    for noun in nouns:
        yield f"{{}} {noun}"
    if len(nouns) == 1:
        yield f"{{}} {nouns[0]}s"


def _silent(tree: ast.Module) -> set[int]:
    """What is never shown: docstrings, the log, patterns."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                found.add(id(first.value))
        elif isinstance(node, ast.Call) and _name(node) in _QUIET:
            found.update(id(part) for item in node.args for part in ast.walk(item))
        for name in ("annotation", "returns"):
            noted = getattr(node, name, None)
            found.update(id(part) for part in (ast.walk(noted) if noted is not None else ()))
    return found


def _name(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _is_text(text: str, *, in_window: bool) -> bool:
    if len(re.findall(r"[A-Za-z]", text.replace("{}", ""))) < 2:
        return False
    if in_window and _TITLE.fullmatch(text):
        return True
    return bool(_SENTENCE.match(text)) and not text.startswith(("http", "--", "QW", "QPushButton"))


if __name__ == "__main__":
    wanted = missing(sys.argv[1]) if len(sys.argv) > 1 else texts()
    print(json.dumps(wanted, indent=1, ensure_ascii=False))
