"""Samplers: one rule a file, and the steppers that apply them to a schedule."""
