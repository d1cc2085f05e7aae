"""Detectors over file-transfer rows."""
