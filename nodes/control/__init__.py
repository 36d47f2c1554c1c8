"""Steering a denoiser by pictures."""
