"""Shared by all rooms: theme, icons, commands, message bars, text formatting."""
