"""The rules, one a module: its name is the rule's id, its docstring says what should hold."""
