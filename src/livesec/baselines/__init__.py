"""Keyed statistics: the numeric kernels that detectors are made of. Each has a readable scalar twin in its test."""
