"""Loading models."""
