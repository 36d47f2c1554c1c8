"""What shapes a graph and computes nothing: the planner takes these nodes out."""
