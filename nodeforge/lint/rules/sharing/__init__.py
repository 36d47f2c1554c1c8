"""Rules about VAE, numbers and what is shared."""
