"""Masks, and work on the part of a picture that a mask names."""
