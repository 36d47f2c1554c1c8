"""Editors of port values (number, text, choice, seed, file); used by every form."""
