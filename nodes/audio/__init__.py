"""Sounds: loading, saving, cutting, mixing and joining."""
