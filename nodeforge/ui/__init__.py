"""The window; the only package that imports Qt. It imports no torch: models are in the worker."""
