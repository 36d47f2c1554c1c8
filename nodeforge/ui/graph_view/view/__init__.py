"""The graph view widget, its breadcrumb and its minimap."""
