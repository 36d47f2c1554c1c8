"""Pictures: loading, saving, and work on them that needs no model."""
