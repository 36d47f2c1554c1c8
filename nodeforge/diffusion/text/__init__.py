"""Text encoding: prompts to embeddings, prompt weights, textual inversions."""
