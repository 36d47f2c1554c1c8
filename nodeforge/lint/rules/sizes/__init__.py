"""Rules about sizes and masks."""
