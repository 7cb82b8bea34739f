"""WKSSVC: this server as a workstation of its own domain, over RPC ([MS-WKST])."""
