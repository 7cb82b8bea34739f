"""SMB 2 and 3: the DC's file server and the way in to named pipes."""
