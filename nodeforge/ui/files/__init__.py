"""Opening, saving and importing files; finding missing models."""
