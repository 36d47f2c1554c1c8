"""The menu of a picture, the same on a thumbnail, in the viewer and on a node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.gallery import MOST_STARS
from nodeforge.ui.window.base_window import BaseWindow
from nodeforge.ui.window.menus.canvas_menu import bring_batch_to_canvas
from nodeforge.ui.window.menus.picture_actions import VARIATIONS, PictureActions
from nodeforge.ui.window.menus.picture_files import may_be_batch


def fill_picture_menu(
    menu: QMenu, window: BaseWindow, actions: PictureActions, pictures: Sequence[Picture]
) -> None:
    """Add what can be done with `pictures`, of which there is at least one, to `menu`."""
    first, single = pictures[0], len(pictures) == 1
    saved = all(each.path is not None for each in pictures)

    def add(
        text: str, name: str, do: Callable[[], Any], *, on: bool = True, keys: str = ""
    ) -> QAction:
        action = menu.addAction(icon(name), text)
        action.triggered.connect(lambda _=False: do())
        action.setEnabled(on)
        action.setShortcut(QKeySequence(keys))
        return action

    add("Large view", "arrows-out", lambda: actions.enlarge(pictures), keys="Space")
    add("Save as…", "floppy-disk", lambda: actions.save_as(pictures))
    add("Copy", "copy", lambda: actions.copy(pictures), keys="Ctrl+C")
    add("To canvas", "paint-brush", lambda: actions.to_canvas(first), on=single)
    several = may_be_batch(window.runner, pictures)
    layers = lambda: bring_batch_to_canvas(window, pictures)  # noqa: E731
    add("To canvas as layers", "stack", layers, on=several)
    inputs = menu.addMenu(icon("image"), "Use as input")
    inputs.setEnabled(single)
    _fill_inputs(inputs, window, actions, first)
    folder = saved and single
    add("Show in folder", "folder-open", lambda: actions.show_in_folder(first), on=folder)
    menu.addSeparator()
    again = lambda: actions.make_again(first)  # noqa: E731
    add("Make again", "arrow-clockwise", again, on=single, keys="Ctrl+Return")
    vary = lambda: actions.make_variations(first)  # noqa: E731
    add(f"Variations ({VARIATIONS})", "dice-five", vary, on=single)
    add("Open workflow", "tree-structure", lambda: actions.open_workflow(first), on=single)
    load = lambda: window.gallery.settings_requested.emit(first.path)  # noqa: E731
    add("Load settings", "sliders", load, on=single and saved)
    add("Verify", "circle-wavy-check", lambda: actions.verify(first), on=single and saved)
    add("Compare", "columns", lambda: actions.compare(pictures))
    menu.addSeparator()
    _fill_stars(menu.addMenu(icon("star"), "Stars"), actions, pictures)
    _fill_collections(menu.addMenu(icon("folder"), "Collections"), window, actions, pictures)
    for action in menu.actions()[-2:]:
        action.setEnabled(all(each.path and window.results.of(each.path) for each in pictures))
    menu.addSeparator()
    add("Delete", "trash", lambda: actions.delete(pictures), on=saved, keys="Del")


def _fill_inputs(
    menu: QMenu, window: BaseWindow, actions: PictureActions, picture: Picture
) -> None:
    current = window.workspace.current
    for end in actions.inputs():
        title = window.workspace.node_title(current.document, end.node) if current else ""
        text = f"{title} · {end.port.replace('_', ' ')}"
        action = menu.addAction(text)
        action.triggered.connect(lambda _=False, end=end: actions.use_as_input(picture, end))
    text = "New “Load image”" if current is not None else "New “Image to image”"
    menu.addAction(text).triggered.connect(lambda _=False: actions.use_as_input(picture, None))


def _fill_stars(menu: QMenu, actions: PictureActions, pictures: Sequence[Picture]) -> None:
    for stars in range(MOST_STARS + 1):
        action = menu.addAction("★" * stars or "None")
        action.setShortcut(QKeySequence(str(stars)))
        action.triggered.connect(lambda _=False, stars=stars: actions.rate(pictures, stars))


def _fill_collections(
    menu: QMenu, window: BaseWindow, actions: PictureActions, pictures: Sequence[Picture]
) -> None:
    rows = [window.results.of(each.path) for each in pictures if each.path is not None]
    for name in window.results.collections():
        inside = all(row is not None and name in row.collections for row in rows)
        action = menu.addAction(name)
        action.setCheckable(True)
        action.setChecked(inside)
        action.triggered.connect(
            lambda on, name=name: actions.put_in_collection(pictures, name, member=on)
        )
    if not menu.isEmpty():
        menu.addSeparator()
    menu.addAction("New collection…").triggered.connect(
        lambda _=False: actions.ask_collection(pictures)
    )
