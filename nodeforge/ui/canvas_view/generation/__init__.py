"""Generating on the canvas: the form, requests, the staging area, live generation."""
