"""The rules, one a module, in a folder for each group of codes.

A module's name is its rule's name, its docstring says what should hold; it declares `RULE` and
`check`.
"""
