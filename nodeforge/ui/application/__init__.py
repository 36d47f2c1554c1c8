"""Process level: start-up, single instance, crash reports, garbage collection."""
