"""F6 and Shift+F6: the keyboard goes from one region of the window to the next.

Regions are the documents and every panel in sight. Within one, Tab walks the controls; the graph
takes Tab for itself, so without this there is no way from it to the inspector by keys.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QWidget

ORDER = ("library", "", "inspector", "viewer")
"""Panels by name, the documents between them; other panels follow."""


def walk_regions(documents: QWidget, docks: dict[str, QDockWidget], step: int) -> None:
    """Give the focus to the next (`step` 1) or the previous (-1) region in sight."""
    panels = {name: dock.widget() for name, dock in docks.items() if _in_sight(dock)}
    names = [*ORDER, *(name for name in docks if name not in ORDER)]
    regions = [
        documents if not name else panels[name] for name in names if not name or name in panels
    ]
    focused = QApplication.focusWidget()
    here = next((i for i, r in enumerate(regions) if focused and _holds(r, focused)), None)
    start = (0 if step > 0 else -1) - step if here is None else here
    for away in range(1, len(regions) + 1):
        region = regions[(start + step * away) % len(regions)]
        if target := _target(region):
            reason = (
                Qt.FocusReason.TabFocusReason if step > 0 else Qt.FocusReason.BacktabFocusReason
            )
            target.setFocus(reason)
            return


def _in_sight(dock: QDockWidget) -> bool:
    """Whether a dock is shown, and not behind another tab."""
    return dock.isVisible() and not dock.visibleRegion().isEmpty()


def _holds(region: QWidget, widget: QWidget) -> bool:
    return region is widget or region.isAncestorOf(widget)


def _target(region: QWidget) -> QWidget | None:
    """What had the focus last in a region, or the first control that takes it."""
    before = region.focusWidget()
    found = (each for each in _controls(region) if each.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return before if before is not None and _can_focus(before) else next(found, None)


def _controls(region: QWidget) -> Iterator[QWidget]:
    """The controls of a region that can be focused, in the order of Tab."""
    if _can_focus(region):
        yield region
    widget = region.nextInFocusChain()
    while widget is not region and widget is not None:
        if region.isAncestorOf(widget) and _can_focus(widget):
            yield widget
        widget = widget.nextInFocusChain()


def _can_focus(widget: QWidget) -> bool:
    takes = widget.focusPolicy() != Qt.FocusPolicy.NoFocus
    return takes and widget.isVisible() and widget.isEnabled()
