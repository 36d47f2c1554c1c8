"""Writes the config folders and tokenizers that ship in `resources/configs`.

They let a single file load without a network: ``python -m tools.configs``.
"""
