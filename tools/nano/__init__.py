"""The recipe by which NodeForge's own small text-to-image model was made.

Run the steps in this order: data, train_vae, latents, train_text, train_unet, train_decoder,
train_controlnet, train_lora, train_turbo, train_edit, train_motion, train_upscaler, recogniser,
second_judge, export, evaluate. Each resumes where it stopped and writes below one folder
(`--runs`); beside every checkpoint lies a float16 average of the weights, `average.safetensors`.

`weights` holds the finished networks of the second training in float16, before the others that
they need are there: the autoencoder (`train_vae --from tools/nano/weights` goes on from it), the
tokenizer, the text encoder with its scores, the UNet, and the recogniser, which is not shipped. To
train the others elsewhere, copy `weights/vae` to `<runs>/cpu/vae/final`, and the other folders
there into `<runs>/cpu`.
"""
