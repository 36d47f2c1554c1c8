"""Project files: a workflow with its canvas, pictures and versions in one archive."""
