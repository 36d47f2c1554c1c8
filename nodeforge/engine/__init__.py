"""Running a graph without knowing what its nodes compute."""
