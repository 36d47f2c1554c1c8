"""Random edits of a canvas, as the tools make them, and canvases made by them."""

import random

import numpy as np

from nodeforge.canvas import (
    PREPROCESSORS,
    Affine,
    Brush,
    Canvas,
    ClonePaint,
    ColourPaint,
    ControlSettings,
    EraserPaint,
    GradientPaint,
    LayerKind,
    PicturePaint,
    Sample,
    State,
    Stroke,
    Tiles,
    Transform,
    activate,
    add_layer,
    alpha_mask,
    clear_area,
    control_from_picture,
    copied,
    crop_canvas,
    cut,
    deselect,
    duplicate_layer,
    ellipse,
    feather_mask,
    flatten,
    flip_canvas,
    flip_layer,
    fold_group,
    group_layers,
    grow_mask,
    invert_mask,
    merge_down,
    move_layer,
    paint_area,
    paste,
    polygon,
    rectangle,
    remove_layers,
    resize_canvas,
    select,
    set_layer,
    similar_area,
    ungroup,
)
from nodeforge.canvas.document.nesting import misplaced
from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.imaging import BlendMode, Box, Combine, Reading

PLAIN = (
    *("id", "name", "kind", "opacity", "blend", "visible", "locked", "alpha_locked", "offset"),
    *("strength", "prompt", "tint", "control", "group"),
)


def pictures(tiles):
    return {key: tile.tobytes() for key, tile in tiles.items() if tile.any()}


def content(state: State):
    """All that undo is about, comparable: not which layer is active, unless there is none."""
    selection = None if state.selection is None else pictures(state.selection)
    layers = [
        (
            [getattr(layer, name) for name in (*PLAIN, "strength", "prompt", "tint", "control")],
            pictures(layer.tiles),
        )
        for layer in state.layers
    ]
    assert misplaced(state.layers) is None
    assert state.active in [layer.id for layer in state.layers] or not state.layers
    return (state.width, state.height, selection, layers)


class RandomEdits:
    """Does random things to a canvas, as tools would."""

    def __init__(self, document: Document, canvas: Canvas, seed: int) -> None:
        self.document, self.canvas = document, canvas
        self.random = random.Random(seed)

    def layer(self) -> str:
        return self.random.choice([layer.id for layer in self.canvas.layers] or ["nobody"])

    def group(self) -> str:
        """A group, or none."""
        return self.random.choice([each.id for each in self.canvas.layers if each.is_group] or [""])

    def point(self) -> tuple[float, float]:
        width, height = self.canvas.size
        return self.random.uniform(-30, width + 30), self.random.uniform(-30, height + 30)

    def colour(self):
        red, green, blue, alpha = self.random.choices(range(256), k=4)
        return red, green, blue, alpha

    def ink(self):
        pixels = np.random.default_rng(self.random.randrange(9)).integers(
            0, 256, (40, 50, 4), dtype=np.uint8
        )
        return self.random.choice(
            [
                ColourPaint(self.colour()),
                EraserPaint(),
                GradientPaint(self.point(), self.point(), self.colour(), self.colour(), True),
                ClonePaint(self.canvas.layers, 17, -9),
                PicturePaint(np.minimum(pixels, pixels[..., 3:]), 20, 30),
            ]
        )

    def shape(self):
        points = [self.point() for _ in range(5)]
        (a, b), (c, d) = points[:2]
        edges = (min(a, c), min(b, d), max(a, c), max(b, d))
        soft = self.random.random() < 0.5
        return self.random.choice(
            [
                lambda: rectangle(*edges),
                lambda: ellipse(*edges, antialias=soft),
                lambda: polygon(points, antialias=soft),
                lambda: similar_area(
                    self.canvas.state, int(a), int(b), 90, gap=self.random.choice([0, 3])
                ),
            ]
        )()

    def stroke(self):
        brush = Brush(
            self.random.uniform(1, 90),
            self.random.random(),
            self.random.random(),
            self.random.random(),
            self.random.uniform(0.1, 1),
            pressure_size=self.random.random() < 0.5,
            pressure_opacity=self.random.random() < 0.5,
        )
        stroke = Stroke(self.canvas, brush, self.ink())
        stroke.begin(Sample(*self.point()))
        for _ in range(self.random.randrange(4)):
            at = Sample(*self.point(), self.random.random())
            stroke.extend(at, straight=self.random.random() < 0.3)
        if self.random.random() < 0.2:
            stroke.cancel()
            return None
        return stroke.end()

    def transform(self):
        lifted = Transform(self.canvas)
        x, y = self.point()
        affine = self.random.choice(
            [
                Affine.moved(int(x) // 4, int(y) // 4),
                Affine.turned(self.random.uniform(0, 360), x, y),
                Affine.scaled(self.random.uniform(-1, 2), self.random.uniform(0.1, 1), x, y),
            ]
        )
        lifted.show(affine)
        return lifted.end(affine)

    def layer_edit(self):
        rng, canvas, id = self.random, self.canvas, self.layer()
        return rng.choice(
            [
                lambda: add_layer(canvas, rng.choice(list(LayerKind))),
                lambda: remove_layers(canvas, {id}),
                lambda: duplicate_layer(canvas, id),
                lambda: move_layer(canvas, id, rng.randrange(4)),
                lambda: move_layer(canvas, id, rng.randrange(4), self.group()),
                lambda: move_layer(canvas, id, rng.randrange(4), self.group()),
                lambda: group_layers(canvas, {id, self.layer()}),
                lambda: ungroup(canvas, self.group()),
                lambda: fold_group(canvas, id, rng.random() < 0.5),
                lambda: activate(canvas, id),
                lambda: set_layer(canvas, id, opacity=rng.random(), gesture=rng.choice([None, 1])),
                lambda: set_layer(canvas, id, blend=rng.choice(list(BlendMode))),
                lambda: set_layer(canvas, id, visible=rng.random() < 0.8),
                lambda: set_layer(canvas, id, alpha_locked=rng.random() < 0.5),
                lambda: set_layer(canvas, id, offset=(rng.randrange(-90, 90), 7), gesture=1),
                lambda: set_layer(canvas, id, control=ControlSettings(rng.choice(list(Reading)))),
                lambda: control_from_picture(canvas, id, rng.choice(PREPROCESSORS)),
                lambda: merge_down(canvas, id),
                lambda: flatten(canvas),
                lambda: flip_layer(canvas, id, rng.random() < 0.5),
                lambda: paste(canvas, copied(canvas.state, merged=rng.random() < 0.5)),
                lambda: add_layer(canvas, LayerKind.MASK, tiles=alpha_mask(canvas.layer(id))),
            ]
        )()

    def edit(self):
        rng, canvas = self.random, self.canvas
        mask = rng.choice(["", self.layer()])
        how = rng.choice([None, *Combine])
        width, height = (rng.randrange(1, 600) for _ in range(2))
        return rng.choice(
            [
                self.stroke,
                self.stroke,
                self.layer_edit,
                self.layer_edit,
                self.transform,
                lambda: select(canvas, self.shape(), how),
                lambda: deselect(canvas),
                lambda: paint_area(canvas, self.ink(), rng.choice([None, self.shape()])),
                lambda: clear_area(canvas),
                lambda: cut(canvas)[1],
                lambda: invert_mask(canvas, mask),
                lambda: grow_mask(canvas, rng.randrange(-5, 9), mask),
                lambda: feather_mask(canvas, rng.randrange(9), mask),
                lambda: flip_canvas(canvas, rng.random() < 0.5),
                lambda: crop_canvas(canvas, Box(rng.randrange(-50, 90), -20, width, height)),
                lambda: resize_canvas(canvas, width, height, 0, 1),
            ]
        )()


def start() -> tuple[Document, Canvas]:
    """A canvas with a picture and an empty layer."""
    document, canvas = Document(), Canvas(State(300, 280))
    noise = np.random.default_rng(0).integers(0, 256, (280, 300, 4), dtype=np.uint8)
    noise[..., 3] = 255
    document.perform(add_layer(canvas, LayerKind.PICTURE, tiles=Tiles.of(noise)))
    document.perform(add_layer(canvas))
    return document, canvas


def paint(document: Document, canvas: Canvas, seed: int) -> None:
    """Make one random edit; one that is refused changes nothing."""
    before = content(canvas.state)
    try:
        edit = RandomEdits(document, canvas, seed).edit()
        if edit is not None:
            document.perform(edit)
    except RequestError:
        assert content(canvas.state) == before
