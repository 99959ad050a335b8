"""Running the command line as scripts do, in a scratch folder."""

import pytest

from kataui import cli


@pytest.fixture
def kataui(capsys, tmp_path, monkeypatch):
    """Run a command; gives exit status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object):
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as stop:
            status = int(stop.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run
