"""`livesec dashboard`: the desk."""

EPILOG = "Example: livesec dashboard --port 8501"


def dashboard() -> None:
    """Show the desk."""
