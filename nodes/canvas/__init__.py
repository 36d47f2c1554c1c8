"""What Generate does on the canvas, as nodes: the box's pixels and masks in, a patch out."""
