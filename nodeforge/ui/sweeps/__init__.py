"""Grids and explorations in the window: their dialogs, panels, and the groups of jobs behind."""
