"""A painting in memory: canvas, layers, tiles, what they show together, the base of edits."""
