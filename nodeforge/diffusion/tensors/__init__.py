"""Operations on tensors without a network: latents, noise, tiles, predictions."""
