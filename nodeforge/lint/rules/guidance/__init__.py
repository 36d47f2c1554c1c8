"""Rules about guidance."""
