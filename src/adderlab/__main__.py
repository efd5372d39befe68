"""``python -m adderlab``: the command line."""

import sys

from adderlab.cli.main import main

sys.exit(main())
