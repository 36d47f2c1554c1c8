"""Single values that feed several nodes."""
