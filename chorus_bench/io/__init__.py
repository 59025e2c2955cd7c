"""Files and folders: written whole, locked, and read within limits."""
