"""Scores the detectors on labelled data, in the open."""
