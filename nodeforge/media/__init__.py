"""Videos and sounds from files and into files, by FFmpeg and libsndfile; numpy, no torch, no Qt."""
