"""ISDKey: keys that every member of a descriptor can have, and that no one has to store ([MS-GKDI])."""
