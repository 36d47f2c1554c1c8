"""Docked panels: node library, problems, queue, log."""
