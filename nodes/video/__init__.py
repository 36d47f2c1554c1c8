"""Videos: loading, saving, cutting and joining, frame by frame in 8 bits."""
