"""The command that writes the files of a form."""

from collections.abc import Mapping

from kataui.errors import KatauiError
from kataui.pipelines.checks import DEFAULT
from kataui.pipelines.model import Value
from kataui.ui.commandtext import Options, command
from kataui.ui.pipelines.formstate import FormState


def rendering(state: FormState, out: str) -> list[str]:
    """``kataui pipeline render`` with the answers that are not the usual ones, as words.

    Raises ``KatauiError`` for an answer that no option can give: a list whose items have commas.
    """
    given = [f"{name}={_text(value)}" for name, value in state.answered.items()]
    version = "" if state.kubernetes == DEFAULT else state.kubernetes
    options: Options = {"--set": given, "--kubernetes": version, "--out": out}
    return command("pipeline render", [state.template.id], options)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _listed([f"{name}={text}" for name, text in value.items()])
    return _listed(value) if isinstance(value, list | tuple) else str(value)


def _listed(items: "list[str] | tuple[str, ...]") -> str:
    if any("," in str(item) for item in items):
        raise KatauiError(
            "An answer has a comma in one of its items: no option can give it.",
            hint="Export the files; then use --answers FOLDER.",
        )
    return ",".join(map(str, items))
