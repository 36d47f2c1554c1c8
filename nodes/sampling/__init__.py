"""Noise, samplers, schedules, guidance, and the loop that uses them."""
