"""What is told of workflows that ship: the models they need, the rules they are examples of."""
