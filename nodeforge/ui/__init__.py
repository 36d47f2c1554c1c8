"""The window: the only Qt. Its process never imports torch; models live in the worker."""
