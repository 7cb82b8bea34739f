"""WINREG: the keys of the registry that tools read, from facts of the forest, over RPC ([MS-RRP])."""
