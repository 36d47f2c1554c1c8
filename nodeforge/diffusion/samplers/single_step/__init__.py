"""Samplers of higher order within one step: two model calls or more."""
