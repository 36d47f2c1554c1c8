"""Names of settings that recipes, files and forms share."""

from __future__ import annotations

FLOW = "flow_prediction"
"""What flow-matching models predict, as diffusers names it."""

AUTO = "auto"
"""A sampler or schedule that the model's family decides."""

DIFFUSERS, COMFYUI = "diffusers", "comfyui"
"""Conventions: whose numbers a denoise loop follows."""
