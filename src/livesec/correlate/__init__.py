"""Stage 3: what follows from findings and rows together. One shard, in order."""
