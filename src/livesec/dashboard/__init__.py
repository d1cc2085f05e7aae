"""The desk: a live view of the store in a browser. It reads the store only, and shows log text only as text."""
