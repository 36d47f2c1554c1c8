"""Graphics items of nodes, ports, links and frames, and how they are painted."""
