"""Model files as diffusion needs them: configurations, layouts, tensors."""
