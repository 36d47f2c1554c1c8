"""The window's workers: a line to each, which of them is idle, and what one runs."""
