"""What the graph view costs with 1,000 nodes and 2,000 links: process CPU time, offscreen.

python -m benchmarks.graph_view [--json] [--nodes N] [--shipped]
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.reporting import options, tell

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from nodeforge.graph.document import Document, View
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue, NodeSpec, NumberWidget, PortSpec, TextWidget
from nodeforge.ui.common import theme
from nodeforge.ui.graph_view import GraphView

SIZE = (1920, 1080)
FRAMES = 30
LIMITS = {
    "open s": 2.0,
    "pan at 1:1 ms": 20,
    "pan at half zoom ms": 20,
    "repaint, all visible ms": 5,
    "select all s": 0.5,
    "undo of deleting all s": 2.0,
    "memory MB": 200,
}


def plain(count: int) -> tuple[Document, Catalogue]:
    """Nodes of three ports and two parameters, with about two links a node."""
    inputs = (
        PortSpec("first", "latent"),
        PortSpec("second", "latent"),
        PortSpec("weight", "float", widget=NumberWidget(0, 1), default=0.5),
        PortSpec("name", "text", widget=TextWidget(), default="a name"),
    )
    spec = NodeSpec("latent.mix", 1, "Mix", "", "", inputs, (PortSpec("latent", "latent"),))
    graph = Graph({f"n_{i}": Node(spec.type) for i in range(count)})
    columns = 40
    for i in range(count):
        for port, back in (("first", columns), ("second", columns + 1)):
            if i >= back:
                graph.links[Input(f"n_{i}", port)] = Output(f"n_{i - back}", "latent")
    places = {f"n_{i}": [i // columns * 280, i % columns * 180] for i in range(count)}
    return Document(graph, view=View(positions=places)), Catalogue([spec])


def shipped_nodes(count: int) -> tuple[Document, Catalogue]:
    """The shipped types in turn, linked where types allow."""
    catalogue = Catalogue.read(shipped("resources") / "catalogue.json")
    specs = sorted(catalogue.values(), key=lambda spec: spec.type)
    graph, last = Graph(), {}
    for i in range(count):
        spec, name = specs[i % len(specs)], f"n_{i}"
        graph.nodes[name] = Node(spec.type)
        for port in spec.inputs:
            if port.widget is None and port.type in last and not port.many:
                graph.links[Input(name, port.name)] = last[port.type]
        last |= {port.type: Output(name, port.name) for port in spec.outputs}
    places = {f"n_{i}": [i // 32 * 280, i % 32 * 320] for i in range(count)}
    return Document(graph, view=View(positions=places)), catalogue


def measure(document: Document, catalogue: Catalogue, *, thumbs: bool) -> dict[str, float]:
    """Medians by name."""
    GraphView(Document(), catalogue, theme.DARK).session.close()
    figures: dict[str, float] = {}
    gc.collect()
    before = _memory()
    start = time.process_time()
    view = GraphView(document, catalogue, theme.DARK)
    view.resize(*SIZE)
    view.show()
    QApplication.processEvents()
    view.zoom_all()
    view.session.viewer.viewport().grab()
    figures["open s"] = time.process_time() - start
    if thumbs:
        for path in view.session.scene.node_items:
            view.show_thumbnail(path, _image())
    figures |= _looks(view)
    figures |= _edits(view)
    figures["memory MB"] = (_memory() - before) / 1e6
    view.session.close()
    return figures


def _looks(view: GraphView) -> dict[str, float]:
    viewer = view.session.viewer
    view.zoom_all()
    whole = _median(lambda: viewer.viewport().repaint())

    def pan() -> None:
        viewer.pan_by(QPointF(-24, -16))

    figures = {"repaint, all visible ms": whole * 1000, "zoom, all visible": viewer.zoom}
    viewer.zoom_by(1.0 / viewer.zoom)
    figures["pan at 1:1 ms"] = _median(pan) * 1000
    figures["repaint at 1:1 ms"] = _median(lambda: viewer.viewport().repaint()) * 1000
    viewer.zoom_by(0.5 / viewer.zoom)
    figures["pan at half zoom ms"] = _median(pan) * 1000
    figures["repaint at half zoom ms"] = _median(lambda: viewer.viewport().repaint()) * 1000
    return figures


def _edits(view: GraphView) -> dict[str, float]:
    chosen = _median(lambda: (view.select([]), view.select_all()), repeats=5)
    figures = {"select all s": chosen}
    delete, undo = [], []
    for _ in range(3):
        view.select_all()
        delete.append(_time(lambda: view.delete_selected()))
        undo.append(_time(lambda: view.document.undo()))
    figures["deleting all s"] = statistics.median(delete)
    figures["undo of deleting all s"] = statistics.median(undo)
    return figures


def _median(what: Callable[[], object], repeats: int = FRAMES) -> float:
    what()
    return statistics.median(_time(what) for _ in range(repeats))


def _time(what: Callable[[], object]) -> float:
    start = time.process_time()
    what()
    QApplication.processEvents()
    return time.process_time() - start


def _image() -> QImage:
    image = QImage(128, 128, QImage.Format.Format_RGB32)
    image.fill(QColor("#886644"))
    return image


def _memory() -> int:
    """Resident bytes of this process; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def figure_line(name: str, value: float) -> str:
    limit = f"  (at most {LIMITS[name]})" if name in LIMITS else ""
    return f"{name:<28}{value:10.3f}{limit}"


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--shipped", action="store_true", help="shipped nodes with thumbnails")
    arguments = parser.parse_args()
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme.apply(app, theme.DARK)
    make = shipped_nodes if arguments.shipped else plain
    document, catalogue = make(arguments.nodes)
    figures = measure(document, catalogue, thumbs=arguments.shipped)
    tell({"nodes": arguments.nodes, **figures}, arguments.json, figure_line)


if __name__ == "__main__":
    main()
