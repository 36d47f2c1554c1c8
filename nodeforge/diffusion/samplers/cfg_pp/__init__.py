"""CFG++ (Chung et al. 2024): along the guided estimate, with the noise of the negative prompt."""
