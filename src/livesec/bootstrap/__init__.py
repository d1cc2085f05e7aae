"""From a fresh clone to a working environment; standard library only, for nothing is installed yet."""
