"""The denoise loop, its inputs and its checkpoints."""
