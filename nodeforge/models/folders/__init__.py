"""Where models are looked for, and what is in those folders."""
