"""The commands of `livesec`, a module each."""
