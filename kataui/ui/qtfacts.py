"""A program of its own: what Qt is here, as one JSON object. The doctor starts it."""

import json
import sys


def main() -> int:
    """Print the facts; Qt aborts this process when it finds no platform."""
    from PySide6.QtCore import qVersion  # noqa: PLC0415 - what fails is told by the status
    from PySide6.QtGui import QFontDatabase, QFontInfo, QGuiApplication  # noqa: PLC0415 - as above

    app = QGuiApplication([])
    mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    facts = {
        "qt": qVersion(),
        "platform": app.platformName(),
        "fonts": len(QFontDatabase.families()),
        "mono": QFontInfo(mono).family(),
    }
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
