"""Does what a plan says, node after node."""
