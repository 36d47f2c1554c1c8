"""Rules about what models predict."""
