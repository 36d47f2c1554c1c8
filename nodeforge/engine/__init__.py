"""Plans and runs graphs, and caches results. Knows nothing of what nodes compute."""
