"""What every other floor stands on: schemas, batches, rows, keyed state, findings, contracts, settings."""
