"""What the self-contained program starts."""

import sys

from kataui.__main__ import main

sys.exit(main())
