"""Rules about videos and the models that draw them."""
