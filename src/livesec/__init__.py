"""LiveSec: a real-time security co-pilot for login, network and file-transfer logs."""

__version__ = "0.1.0"
