"""Between pictures and latents, and work on latents."""
