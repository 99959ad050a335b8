"""The whole command line as one parser: kataui itself loads only the verb that is used."""

import argparse
import sys

from place import ROOT

sys.path.insert(0, str(ROOT))

from kataui.cli import parser


def choices(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The nouns, or the verbs of one."""
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def whole() -> argparse.ArgumentParser:
    """Every noun and verb with its arguments."""
    top = parser([])
    for noun, of_noun in choices(top).items():
        verbs = choices(of_noun)
        for verb in list(verbs):
            verbs[verb] = choices(choices(parser([noun, verb]))[noun])[verb]
    return top


def summaries(of: argparse.ArgumentParser) -> dict[str, str]:
    """What is said of each noun or verb in one line."""
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            return {item.dest: item.help or "" for item in action._choices_actions}
    return {}
