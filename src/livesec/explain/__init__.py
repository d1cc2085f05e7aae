"""Explanations: one record for every anomaly, written by rule at once."""
