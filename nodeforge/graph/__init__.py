"""The document: nodes, links, subgraphs, edits and their history. It knows nothing of Qt."""
