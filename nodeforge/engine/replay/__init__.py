"""Makes a saved picture again, and tells what differs and why."""
