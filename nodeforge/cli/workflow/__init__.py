"""The workflow that a command is given: its options, its file, and what is set in it."""
