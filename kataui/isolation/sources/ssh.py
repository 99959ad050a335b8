"""A remote host as a source: the collector is sent over ssh and leaves nothing behind.

The remote shell starts ``python3 -c`` with a loader of one line; bootstrap, collector (a zip) and
all else come over standard input. The zip is kept in a memfd (memfd_create(2)), or an unlinked
temporary file, and imported from ``/proc/self/fd/N``. When standard input ends, so does it.
"""

import functools
import importlib.resources
import io
import zipfile

from kataui import ssh
from kataui.errors import KatauiError
from kataui.isolation.sources.child import Child
from kataui.isolation.sources.local import arguments
from kataui.isolation.sources.questions import Ask, Questions
from kataui.isolation.sources.retrying import USUAL, ChildFeed, Ending, Patience

# without quotes and exclamation marks inside: csh and fish read it, too
LOADER = "python3 -I -c 'import sys; i = sys.stdin.buffer; exec(i.read(int(i.readline())))'"
_OLD_PYTHON = 97
_NOT_FOUND = 127
_OLD_MARK = "kataui-python"
# Python 3.0 reads this, so that an old one can say how old it is.
_BOOTSTRAP = f"""
import os, sys
if sys.version_info < (3, 8):
    sys.stderr.write("{_OLD_MARK} %d.%d\\n" % tuple(sys.version_info[:2]))
    sys.exit({_OLD_PYTHON})
import runpy, tempfile, threading
try:
    handle = os.memfd_create("kataui")
except (AttributeError, OSError):
    handle, path = tempfile.mkstemp()
    os.unlink(path)
with open(handle, "wb", closefd=False) as file:
    file.write(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())))
def end_with_the_line():
    while os.read(0, 4096):
        pass
    os._exit(0)
threading.Thread(target=end_with_the_line, daemon=True).start()
sys.path.insert(0, "/proc/self/fd/%d" % handle)
sys.argv[1:] = ARGUMENTS
runpy.run_module("kataui.isolation.collector", run_name="__main__", alter_sys=True)
"""


@functools.cache
def _package() -> bytes:
    """The collector as a zip (about 40 kB)."""
    root = importlib.resources.files("kataui")
    names = ["__init__.py", "isolation/__init__.py"]
    collector = root / "isolation" / "collector"
    names += [
        f"isolation/collector/{item.name}"
        for item in collector.iterdir()
        if item.name.endswith(".py")
    ]
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(names):
            archive.writestr(f"kataui/{name}", root.joinpath(name).read_bytes())
    return data.getvalue()


def payload(collector_arguments: list[str]) -> bytes:
    """What goes to the loader's standard input: each part with its length in a line before it."""
    bootstrap = _BOOTSTRAP.replace("ARGUMENTS", repr(collector_arguments)).encode()
    parts = (bootstrap, _package())
    return b"".join(b"%d\n%b" % (len(part), part) for part in parts)


class SshFeed(ChildFeed):
    """Samples of ``host`` (HOST, USER@HOST or an alias) with the user's own ssh, keys and config.

    ``ask(prompt, secret)`` answers ssh's questions, in the thread that calls ``read``; without it
    questions are refused. Raises ``KatauiError`` for a host or rate that cannot be.
    """

    def __init__(
        self, host: str, *, rate_hz: float = 1.0, ask: Ask | None = None, patience: Patience = USUAL
    ) -> None:
        self._arguments = arguments(rate_hz)
        super().__init__(ssh.checked_host(host), period_s=1 / rate_hz, patience=patience)
        self._ask = ask
        self._questions: Questions | None = None

    def _start(self) -> Child:
        argv = ssh.argv(self._name, LOADER, batch=self._ask is None)
        if self._ask is None:
            return Child(argv, input_bytes=payload(self._arguments))
        if self._questions is None:
            self._questions = Questions(self._name, self._ask)
        questions = self._questions
        child = Child(argv, input_bytes=payload(self._arguments), env=questions.environment)

        def answer(handle: int) -> None:
            questions.answer(handle)
            self._heard()  # thinking about the answer is no hang

        child.watch(questions.handle, answer)
        return child

    def _ending(self, child: Child) -> Ending:
        said = "\n".join(child.words)
        host = self._name
        if child.status == _OLD_PYTHON and _OLD_MARK in said:
            version = said.partition(_OLD_MARK)[2].split()[:1]
            message = f"Python on {host} is too old ({' '.join(version) or 'unknown'})."
            return Ending(
                KatauiError(message, hint="Install Python 3.8 or newer there."), again=False
            )
        if child.status == _NOT_FOUND or ("python3" in said and "not found" in said.lower()):
            message = f"There is no python3 on {host}."
            return Ending(
                KatauiError(message, hint="Install Python 3.8 or newer there."), again=False
            )
        problem = ssh.problem(host, child.status, child.words, batch=self._ask is None)
        return Ending(problem, again=problem.again)

    def _discard(self) -> None:
        super()._discard()
        if self._questions is not None:
            self._questions.close()
            self._questions = None
