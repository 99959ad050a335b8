"""What ssh starts to ask the user (SSH_ASKPASS): hands the question to the kataui that waits.

Called by ``questions.Questions`` through a small script, with the socket as the first argument and
a token in the environment. It runs alone, without the rest of kataui. ssh(1): the answer goes to
standard output; a status other than 0 is a refusal.
"""

import json
import os
import socket
import sys


def main() -> int:
    """Ask, wait for the answer, print it."""
    question = {
        "token": os.environ["KATAUI_ASKPASS_TOKEN"],
        "prompt": " ".join(sys.argv[2:]),
        "kind": os.environ.get("SSH_ASKPASS_PROMPT", ""),
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(sys.argv[1])
        line.sendall(json.dumps(question).encode() + b"\n")
        with line.makefile("rb") as answers:
            answer = json.loads(answers.readline() or b"null")
    if not isinstance(answer, str):
        return 1
    sys.stdout.write(answer + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
