"""``python -m zega_core`` is the same as ``zega``."""

import sys

from zega_core.cli import main

sys.exit(main())
