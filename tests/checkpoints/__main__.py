"""``python -m tests.checkpoints FOLDER`` writes small checkpoints of every kind."""

import sys
from pathlib import Path

from tests.checkpoints.folder import write

if len(sys.argv) != 2:
    sys.exit("usage: python -m tests.checkpoints FOLDER")
write(Path(sys.argv[1]))
