"""The canvas widget: painting the overlay, handling mouse, tablet and keyboard events."""
