"""What can be done with a picture where it is seen: in the gallery, the viewer and on a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, QStandardPaths
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox

from nodeforge.errors import NodeForgeError
from nodeforge.graph.comparison.compare import compare
from nodeforge.graph.comparison.compare_text import DifferenceText
from nodeforge.graph.edits import AddNodes, GraphEdit, SetValue, Together
from nodeforge.graph.model import Input, Node
from nodeforge.settings import shipped
from nodeforge.ui.common.clip_files import is_clip_file
from nodeforge.ui.common.file_manager import show_in_file_manager
from nodeforge.ui.common.formatting import plural
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.documents.picture_inputs import (
    LOAD_IMAGE,
    loader_of,
    picture_input,
    picture_inputs,
    picture_value,
    use_as_input,
)
from nodeforge.ui.documents.seeds import fix_seeds, randomise_seeds
from nodeforge.ui.gallery import GalleryError, Trash
from nodeforge.ui.viewer import LargeView
from nodeforge.ui.window.base_window import BaseWindow
from nodeforge.ui.window.menus import picture_files
from nodeforge.ui.window.menus.canvas_menu import bring_to_canvas
from nodeforge.ui.window.menus.verifying import Verifying

VARIATIONS = 4
_CHANGING = "image_to_image"
"""The shipped workflow that takes a picture where none is open."""
_DOCUMENTS = (".json", ".nforge", ".ora", ".safetensors", ".sft")
"""Files that open also where they are dropped on a node that loads pictures."""
_NOISE = "sampling.noise"
_FILES = "PNG, keeps every value (*.png);;WebP (*.webp);;JPEG (*.jpg)"


class PictureActions:
    """The commands of the picture menu.

    Args:
        window: The window, with its gallery and viewer.
    """

    def __init__(self, window: BaseWindow) -> None:
        self._window, self._bars = window, window.area.message_bars
        self._trash = Trash(window.results)
        self._verifying = Verifying(window)
        self._large: LargeView | None = None
        self._by_name: dict[str, Callable[[Sequence[Picture]], object]] = {
            "large": self.enlarge,
            "save": self.save_as,
            "again": lambda pictures: self.make_again(pictures[0]),
            "copy": self.copy,
            "compare": self.compare,
            "delete": self.delete,
            "undo": lambda _: self.undo_delete(),
        }

    def run(self, name: str, pictures: Sequence[Picture]) -> None:
        """Run a command by its name, as keys and buttons of the panels ask."""
        if pictures or name in ("undo", "compare"):
            self._by_name[name](pictures)

    def enlarge(self, pictures: Sequence[Picture]) -> None:
        """Show a picture large; of the gallery's, the arrow keys go through all that is listed."""
        gallery, first = self._window.gallery.all(), pictures[0]
        if len(pictures) > 1:
            gallery = list(pictures)
        pages = gallery if first in gallery else [first]
        fetch = partial(picture_files.fetch, self._window.runner)
        open_clip = partial(picture_files.open_clip, self._window.runner, self._window)
        large = LargeView(pages, pages.index(first), fetch, open_clip, self._window)
        large.menu_requested.connect(self._window.show_picture_menu)
        large.command.connect(self.run)
        large.finished.connect(self._forget_large)
        self._large = large
        large.show()

    def save_as(self, pictures: Sequence[Picture]) -> None:
        """Ask where to save pictures, and copy or write them there with their workflow."""
        folder = self._folder()
        if len(pictures) > 1:
            chosen = QFileDialog.getExistingDirectory(self._window, "Save pictures in", str(folder))
            paths = [Path(chosen) / _file_name(each) for each in pictures] if chosen else []
        else:
            wish = str(folder / _file_name(pictures[0]))
            files = _clip_filter(pictures[0]) or _FILES
            chosen, _ = QFileDialog.getSaveFileName(self._window, "Save picture as", wish, files)
            paths = [Path(chosen)] if chosen else []
        for picture, path in zip(pictures, paths, strict=False):
            own = picture.path.suffix if picture.path and is_clip_file(picture.path) else ""
            suffixed = path.suffix.lower() in (*picture_files.SUFFIXES, ".jpeg", own.lower())
            path = path if suffixed and path.suffix else path.with_name(path.name + (own or ".png"))
            if len(paths) > 1:
                path = _free(path)
            self._window.workspace.store.setValue("picture_folder", str(path.parent))
            self._with_image(picture, partial(self._write, picture, path))

    def copy(self, pictures: Sequence[Picture]) -> None:
        """Put the first picture, and the files of all, on the clipboard."""
        paths = [each.path for each in pictures if each.path is not None]

        def put(image: QImage) -> None:
            picture_files.copy_to_clipboard(image, paths)
            what = "The picture is" if len(pictures) == 1 else f"{len(pictures)} pictures are"
            self._say(f"{what} on the clipboard.")

        self._with_image(pictures[0], put)

    def to_canvas(self, picture: Picture) -> None:
        """Import a picture into the canvas of the current document, or of a new one.

        Its prompt becomes that of the canvas, where this has none.
        """
        prompt = picture_files.prompt_of(self._window.workspace, picture)
        if picture.path is not None:
            bring_to_canvas(self._window, picture.path, picture.path.name, prompt)
            return

        def bring(image: QImage) -> None:
            from nodeforge.ui.canvas_view.rendering.qt_images import to_png  # numpy, OpenCV

            bring_to_canvas(self._window, to_png(image), picture.name, prompt)

        self._with_image(picture, bring)

    def use_as_input(self, picture: Picture, end: Input | None) -> None:
        """Give a picture to an input of the current document.

        Args:
            picture: The picture; a copy of it goes to the assets.
            end: The input; None for that of a new *Load image* node.
        """
        window = self._window
        if window.workspace.current is None:
            window.files.open(shipped("workflows") / f"{_CHANGING}.json")
            end = next(iter(self.inputs()), None)
        opened = window.workspace.current
        if opened is None:
            return

        def use(path: Path) -> None:
            self._use(opened, path, end)

        self._with_image(picture, lambda image: picture_files.with_file(picture, image, use))

    def drop(self, paths: Sequence[Path], place: QPoint) -> bool:
        """Give a file that is dropped on a node that loads a picture to that node.

        Args:
            paths: What is dropped.
            place: Where, on the screen.

        Returns:
            Whether it was taken.
        """
        at, opened = self._window.area.graph_at(place), self._window.workspace.current
        if len(paths) != 1 or at is None or opened is None or not at[2]:
            return False
        if paths[0].suffix.lower() in _DOCUMENTS:
            return False
        end = picture_input(opened.document, self._window.workspace.catalogue, at[2])
        if end is not None:
            self._use(opened, paths[0], end)
        return end is not None

    def dropped_there(self, place: QPoint) -> Callable[[Path], object] | None:
        """What takes a picture without a workflow that is dropped on the graph at `place`."""
        at, opened = self._window.area.graph_at(place), self._window.workspace.current
        if at is None or opened is None:
            return None
        return lambda path: self._use(opened, path, None, at[1])

    def inputs(self) -> list[Input]:
        """The inputs of the shown graph that take a picture."""
        opened, view = self._window.workspace.current, self._window.area.view
        if opened is None:
            return []
        group = view.path if view is not None else ""
        catalogue = self._window.workspace.catalogue
        return list(picture_inputs(opened.document, catalogue, group))

    def show_in_folder(self, picture: Picture) -> None:
        if picture.path is not None:
            show_in_file_manager(picture.path, self._window)

    def make_again(self, picture: Picture) -> None:
        """Open the workflow of a picture with its seeds fixed, and run it."""
        opened = self._open(picture, "again")
        if opened is not None:
            fix_seeds(opened.document)
            self._window.runner.run(opened, again=True)

    def make_variations(self, picture: Picture) -> None:
        """Open the workflow of a picture, and run it with other seeds."""
        opened = self._open(picture, "variations")
        if opened is not None:
            randomise_seeds(opened.document, self._window.workspace.catalogue)
            if self._window.runner.run(opened, count=VARIATIONS):
                self._say(f"{plural(VARIATIONS, 'variation')} queued")

    def open_workflow(self, picture: Picture) -> None:
        """Open the workflow of a picture in a tab, with its seeds fixed."""
        if picture.path is not None:
            self._window.files.open(picture.path)
        else:
            self._open(picture, "workflow")

    def compare(self, pictures: Sequence[Picture]) -> None:
        """Compare two pictures; one is compared with the selected one, else with the viewer's."""
        pair = self._pair(pictures)
        if len(pair) < 2:
            self._say("Select two pictures to compare: click one, then Ctrl+click another.")
            return
        if len(pictures) > 2:
            self._say("Two pictures are compared: the first two of those selected.")
        first, second = pair[:2]
        self._with_image(
            first,
            lambda one: self._with_image(
                second, lambda other: self._show_comparison((first, one), (second, other))
            ),
        )

    def verify(self, picture: Picture) -> None:
        """Make a saved picture again, and show whether it came out the same."""
        if picture.path is not None:
            self._verifying.verify(picture.path)

    def close(self) -> None:
        """The window ends."""
        self._verifying.close()

    def delete(self, pictures: Sequence[Picture]) -> None:
        """Move saved pictures to the system's trash; a message offers to undo it."""
        window = self._window
        paths = [each.path for each in pictures if each.path is not None]
        if not paths:
            self._say("This result was not saved as a file; there is nothing to delete.")
            return
        try:
            kept = self._trash.delete([window.results.of(path) or path for path in paths])
            if kept and self._asks_to_delete(kept):
                self._trash.delete_for_good(kept)
                kept = []
        except (GalleryError, OSError) as error:
            self._bars.show_message("delete", str(error))
            kept = [path for path in paths if path.exists()]
        gone = [path for path in paths if path not in kept]
        if self._large is not None:
            self._large.forget([each for each in pictures if each.path in gone])
        window.gallery.reload()
        if gone and self._trash.can_undo:
            what = gone[0].name if len(gone) == 1 else f"{len(gone)} pictures"
            undo = ("Undo", self.undo_delete)
            self._bars.show_message("delete", f"{what} moved to the trash.", [undo], kind="info")

    def undo_delete(self) -> None:
        """Bring back the pictures that were deleted last."""
        try:
            back, lost = self._trash.undo()
        except GalleryError as error:
            self._bars.show_message("delete", str(error))
            return
        self._bars.dismiss("delete")
        self._window.gallery.reload()
        if lost:
            names = ", ".join(path.name for path in lost)
            self._bars.show_message("delete", f"{names}: no longer in the trash.")
        elif back:
            self._say(f"{back[0].name if len(back) == 1 else plural(len(back), 'picture')} is back")

    def rate(self, pictures: Sequence[Picture], stars: int) -> None:
        """Give pictures of the gallery stars."""
        results = self._window.results
        self._window.gallery.change(_paths(pictures), lambda each: results.rate(each, stars))

    def put_in_collection(self, pictures: Sequence[Picture], name: str, *, member: bool) -> None:
        """Put pictures of the gallery into a collection, or take them out."""
        results = self._window.results
        self._window.gallery.change(
            _paths(pictures), lambda each: results.put_in_collection(each, name, member=member)
        )

    def ask_collection(self, pictures: Sequence[Picture]) -> None:
        """Ask for the name of a new collection, and put pictures into it."""
        name, chosen = QInputDialog.getText(self._window, "New collection", "Name:")
        if chosen and name.strip():
            self.put_in_collection(pictures, name.strip(), member=True)

    def _say(self, text: str) -> None:
        self._window.status.show_text(text)

    def _forget_large(self) -> None:
        self._large = None

    def _with_image(self, picture: Picture, use: Callable[[QImage], object]) -> None:
        """Give `use` the image in full size, or say that there is none."""

        def got(image: QImage | None) -> None:
            if image is None:
                self._say(f"{picture.path or picture.name}: the picture is no longer there.")
            else:
                use(image)

        picture_files.fetch(self._window.runner, picture, got)

    def _write(self, picture: Picture, path: Path, image: QImage) -> None:
        try:
            picture_files.write_picture(self._window.workspace, picture, image, path)
        except NodeForgeError as error:
            self._bars.show_message("picture", str(error))
            return
        self._say(f"{path.name} was saved in {path.parent}.")

    def _folder(self) -> Path:
        last = str(self._window.workspace.store.value("picture_folder", ""))
        if last and Path(last).is_dir():
            return Path(last)
        place = QStandardPaths.StandardLocation.PicturesLocation
        pictures = Path(QStandardPaths.writableLocation(place))
        return pictures if pictures.is_dir() else Path.home()

    def _use(
        self, opened: OpenDocument, path: Path, end: Input | None, place: QPointF | None = None
    ) -> None:
        window = self._window
        try:
            if end is None:
                self._add_loader(opened, path, place)
            else:
                edit = use_as_input(opened.document, window.workspace.settings, path, end)
                opened.perform(edit)
        except NodeForgeError as error:
            self._bars.show_message("picture", str(error))
            return
        if end is not None:
            title = window.workspace.node_title(opened.document, end.node)
            self._say(f"{path.name} is the input of {title}.")
            window.show_node(opened, end.node)

    def _add_loader(self, opened: OpenDocument, path: Path, place: QPointF | None) -> None:
        """Add a node that loads the file at `place`, else where there is free room.

        A picture is copied to the assets; a video or a sound is read where it is.
        """
        window = self._window
        spec = window.workspace.catalogue[loader_of(path)]
        window.area.show_view("graph")
        view = window.area.view
        if place is None and view is not None:
            place = view.place_for_new()
        at = (round(place.x()), round(place.y())) if place is not None else (0, 0)
        group = view.path if view is not None else ""
        entries: list[GraphEdit] = []
        if spec.type == LOAD_IMAGE:
            value, entry = picture_value(opened.document, window.workspace.settings, path)
            entries.append(entry)
        else:
            value = str(path.absolute())
            opened.granted.append(value)
        add = AddNodes([Node(spec.type, version=spec.version)], [at], group)

        def edits() -> Iterator[GraphEdit]:
            yield from (add, *entries)
            yield SetValue(add.paths[0], spec.inputs[0].name, value)

        if opened.perform(Together(f"load {path.name}", edits())):
            window.show_node(opened, add.paths[0])

    def _open(self, picture: Picture, what: str) -> OpenDocument | None:
        """Open the workflow of a picture as a document of its own, or say why it cannot be."""
        try:
            document, item = picture_files.workflow_of(picture)
        except NodeForgeError as error:
            self._bars.show_message("picture", str(error))
            return None
        for node in document.graph.nodes.values() if item is not None else ():
            if node.type == _NOISE:
                node.values["item"] = item
        fix_seeds(document)
        opened = OpenDocument(document, None, f"{picture.name} {what}")
        self._window.workspace.add(opened)
        return opened

    def _pair(self, pictures: Sequence[Picture]) -> list[Picture]:
        """The two to compare: the given ones, then the gallery's selection, then the viewer's."""
        viewed = self._window.viewer.picture
        others = [*self._window.gallery.chosen(), *([viewed] if viewed is not None else [])]
        pair = list(pictures[:2])
        for each in others:
            same = pair and each.path is not None and each.path == pair[0].path
            if len(pair) < 2 and each not in pair and not same:
                pair.append(each)
        return pair

    def _show_comparison(
        self, first: tuple[Picture, QImage], second: tuple[Picture, QImage]
    ) -> None:
        from nodeforge.ui.gallery.compare_dialog import CompareDialog  # numpy: only when needed

        sides = [(_file_name(picture), image) for picture, image in (first, second)]
        lines = self._differences(first[0], second[0])
        dialog = CompareDialog(sides[0], sides[1], lines, self._window)
        dialog.open()

    def _differences(self, first: Picture, second: Picture) -> list[str]:
        """What differs in the workflows of two pictures, one line each."""
        catalogue = self._window.workspace.catalogue
        try:
            before, after = (picture_files.workflow_of(each)[0] for each in (first, second))
            found = compare(before, after, catalogue)
        except NodeForgeError as error:
            return [str(error)]
        return list(DifferenceText(before, after, catalogue).lines(found))

    def _asks_to_delete(self, paths: Sequence[Path]) -> bool:
        """Ask whether to delete what the system does not take into its trash."""
        what = paths[0].name if len(paths) == 1 else f"{len(paths)} pictures"
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Delete")
        box.setText(f"There is no trash for {what}. Delete for good? This cannot be undone.")
        delete = box.addButton("&Delete for good", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        return box.clickedButton() is delete


def _paths(pictures: Sequence[Picture]) -> list[Path]:
    return [each.path for each in pictures if each.path is not None]


def _file_name(picture: Picture) -> str:
    return picture.path.name if picture.path is not None else f"{picture.name}.png"


def _clip_filter(picture: Picture) -> str:
    """The file dialog's filter for a video or a sound, which is copied; empty for pictures."""
    if picture.path is None or not is_clip_file(picture.path):
        return ""
    suffix = picture.path.suffix
    return f"{suffix.removeprefix('.').upper()} (*{suffix})"


def _free(path: Path) -> Path:
    """`path`, or a numbered name beside it: several pictures never overwrite one another."""
    count, free = 1, path
    while free.exists():
        count += 1
        free = path.with_name(f"{path.stem}_{count}{path.suffix}")
    return free
