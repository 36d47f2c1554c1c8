"""Start of the window against a bare PySide6 + NodeGraphQt window, each in processes of its own.

Until it is shown and has handled its first events; the first start is on an empty home. Bytecode is
cached, as pip leaves it, whatever PYTHONDONTWRITEBYTECODE says: compiling would be a third of the
figure.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.reporting import options, tell

_BARE = """
import os, time
start = time.perf_counter()
os.environ.setdefault("QT_PREFERRED_BINDING", "PySide6")
from PySide6.QtWidgets import QApplication, QMainWindow
from NodeGraphQt import NodeGraph
app = QApplication([])
window = QMainWindow()
graph = NodeGraph()
window.setCentralWidget(graph.widget)
window.resize(1600, 1000)
window.show()
app.processEvents()
print(time.perf_counter() - start, time.process_time())
os._exit(0)
"""

_OURS = """
import gc, os, sys, time
start = time.perf_counter()
gc.disable()  # as nodeforge.__main__ does
from pathlib import Path
from nodeforge.settings import load_settings
from nodeforge.ui.common import theme
from nodeforge.ui.application.app import make_app, window_store
from nodeforge.ui.window.main_window import MainWindow
from nodeforge.ui.documents.workspace import Workspace
settings = load_settings()
app = make_app()
workspace = Workspace(settings, window_store(settings.home))
theme.apply(app, workspace.theme)
window = MainWindow(workspace)
window.resize(1600, 1000)
window.show()
if len(sys.argv) > 1:
    window.files.open(Path(sys.argv[1]))
app.processEvents()
taken = time.perf_counter() - start, time.process_time()
assert "torch" not in sys.modules
window.runner.close()
print(*taken)
os._exit(0)
"""

_WORKFLOW = str(Path(__file__).parent.parent / "workflows" / "text_to_image.json")


def measure(code: str, folder: str, *arguments: str, home: str = "home") -> tuple[float, float]:
    """Seconds of wall time from the first import, and of CPU time of the whole process."""
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "NODEFORGE_HOME": str(Path(folder) / home),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(Path(folder) / "bytecode"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    wall, cpu = map(float, done.stdout.split()[-2:])
    return wall, cpu


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    figures: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": [], "with_workflow": []}
    with tempfile.TemporaryDirectory() as home:
        measure(_BARE, home)  # leaves its bytecode
        measure(_OURS, home, _WORKFLOW)
        first = measure(_OURS, home, home="empty")
        for _ in range(arguments.runs):
            figures["bare"].append(measure(_BARE, home))
            figures["ours"].append(measure(_OURS, home))
            figures["with_workflow"].append(measure(_OURS, home, _WORKFLOW))
    wall = {name: statistics.median(w for w, _ in runs) for name, runs in figures.items()}
    cpu = {name: statistics.median(c for _, c in runs) for name, runs in figures.items()}
    report = {
        "first_start_s": first[0],
        **{f"{name}_s": value for name, value in wall.items()},
        **{f"{name}_cpu_s": value for name, value in cpu.items()},
        "ratio": wall["ours"] / wall["bare"],
        "cpu_ratio": cpu["ours"] / cpu["bare"],
        "cpu_ratio_with_workflow": cpu["with_workflow"] / cpu["bare"],
    }
    tell(report, arguments.json)


if __name__ == "__main__":
    main()
