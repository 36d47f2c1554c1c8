"""Encoding prompts and combining them."""
