"""Widgets around the canvas: tool bar, tool options, layers, colours, generation, rulers."""
