import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # as pytest does: tests share helpers
