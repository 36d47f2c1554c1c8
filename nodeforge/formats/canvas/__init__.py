"""Canvases in files: their layers as JSON, tiles, layer pictures, OpenRaster."""
