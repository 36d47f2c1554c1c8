"""Rules about strength and passes."""
