"""Detectors over login rows."""
