"""Asks a worker process, and listens to what it says."""
