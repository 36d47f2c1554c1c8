"""Makes workflows of what other programs say in their pictures: prompts, seeds and settings.

One file a program; `reading` tells them apart by what a picture carries.
"""
