"""Lists: what is behind one is computed once for each of its values."""
