"""From raw lines to anomalies and incidents: lookups, keyed detectors, correlators, score."""
