"""Detectors over network rows."""
