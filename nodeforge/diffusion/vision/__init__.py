"""Networks that read pictures and give pictures: upscalers."""
