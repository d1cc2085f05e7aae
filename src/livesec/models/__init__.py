"""Trained models as plain arrays: what runs them, and the files that keep them. Nothing here is pickled."""
