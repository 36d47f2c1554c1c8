"""Which kind, family and networks a model file holds, from its header alone."""
