"""The job queue on disk: jobs, their order and states, and who runs them. No Qt, no torch."""
