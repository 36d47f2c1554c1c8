"""`nodeforge queue`, and what it shows while it runs jobs."""
