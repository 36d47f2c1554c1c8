"""Pixels into a canvas and out of it: picture files and the clipboard."""
