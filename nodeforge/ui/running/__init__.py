"""Running workflows: worker connection, job queue, planning, progress, result pictures."""
