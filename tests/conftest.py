"""Set before anything imports torch: its threads must not spin beside each other's tests."""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "0")
