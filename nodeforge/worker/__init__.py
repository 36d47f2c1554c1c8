"""The process that owns torch and the GPU: finds packs, runs workflows, answers the client."""
