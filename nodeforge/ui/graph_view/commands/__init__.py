"""Commands on the graph: edit, clipboard, alignment, adding and finding nodes."""
