"""Networks as torch modules: built without weights, and loaded from files."""
