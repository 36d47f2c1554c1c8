"""Rules about the graph itself."""
