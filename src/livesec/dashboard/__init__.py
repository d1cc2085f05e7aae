"""The desk: a live view of the store in a browser. It reads the store only; log text stays text."""

import importlib

# Streamlit and Altair import these when they first need them, each browser session in a thread of its own; two
# sessions at once then meet half-made modules. Imported here, under the lock of this package, they are whole.
for _name in ("pyarrow", "pandas", "altair"):
    importlib.import_module(_name)
