"""Samplers that reuse earlier predictions: one model call a step."""
