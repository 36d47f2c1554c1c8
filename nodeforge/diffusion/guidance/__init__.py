"""How a step's predictions become one: classifier-free guidance and its variants."""
