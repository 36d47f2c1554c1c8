"""Menus, toolbar and command palette, and the commands that they list."""
