"""One package for each interface: idl.py declares it, the others answer it."""
