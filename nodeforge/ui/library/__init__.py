"""Finding node types: their names here and elsewhere, how they are ranked, what is used most."""
