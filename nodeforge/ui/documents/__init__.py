"""Open documents: workspace, autosave, project files, node states."""
