"""What a run will do: its nodes, their keys, and why each is computed."""
