"""DSSETUP: the role of this machine in its domain ([MS-DSSP])."""
