"""Noise schedules: which sigmas a run steps through."""
