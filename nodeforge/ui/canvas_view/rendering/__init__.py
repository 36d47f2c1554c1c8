"""Drawing the canvas with Qt: layers, tiles, outlines, thumbnails, and the view's camera."""
