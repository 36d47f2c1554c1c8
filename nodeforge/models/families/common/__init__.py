"""What families are declared with and share: the form of their facts, spaces, text encoders."""
