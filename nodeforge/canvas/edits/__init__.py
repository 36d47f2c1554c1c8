"""Everything that changes a canvas: strokes, fills, selections, masks, layers, sizes."""
