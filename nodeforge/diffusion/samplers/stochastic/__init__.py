"""Samplers that add fresh noise in each step; with eta 0, Euler and DDIM."""
