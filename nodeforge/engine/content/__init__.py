"""What runs and cache keys are about beside values: files, models, packs, by their content."""
