"""Reading model files: headers, diffusers folders, content fingerprints."""
