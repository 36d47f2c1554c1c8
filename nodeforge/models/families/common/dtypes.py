"""What networks may compute in, the best first: names of torch's dtypes."""

HALF_FIRST = ("float16", "bfloat16", "float32")
BFLOAT16_FIRST = ("bfloat16", "float32")
"""Of networks that overflow in float16."""
FULL_FIRST = ("float32", "bfloat16")
"""Of autoencoders, which overflow in float16 and lose detail in bfloat16."""
