"""Input handling of the graph view: mouse and keys, tooltips, inline editing."""
