"""SAMR: accounts, groups and their passwords over RPC ([MS-SAMR])."""
