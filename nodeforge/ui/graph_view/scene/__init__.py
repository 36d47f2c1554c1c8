"""The QGraphicsScene of a graph: items kept in step with the document, and the viewer on it."""
