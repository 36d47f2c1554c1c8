"""Pictures in files: reading and writing them, colour profiles, the texts they carry."""
