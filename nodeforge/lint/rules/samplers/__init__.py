"""Rules about samplers, schedules and steps."""
