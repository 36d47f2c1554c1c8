"""Which networks are in memory, where, and what they need."""
