"""Measuring a model: what is run, in which order, and what came of it. No Qt, no torch."""
