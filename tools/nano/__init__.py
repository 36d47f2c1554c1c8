"""The recipe by which NodeForge's own small text-to-image model was made.

Run the steps in this order: data, train_vae, train_unet, train_controlnet, train_lora,
evaluate, export. Each resumes where it stopped and writes below one folder (`--runs`).
"""
