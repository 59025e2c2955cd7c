"""Files and folders: written atomically, locked, and read within limits."""
