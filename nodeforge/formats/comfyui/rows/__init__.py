"""The table of ComfyUI's classes, by subject: one row a class."""
