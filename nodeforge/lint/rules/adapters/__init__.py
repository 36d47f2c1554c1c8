"""Rules about adapters and reference pictures."""
