"""SRVSVC: shares, sessions and open files of this server over RPC ([MS-SRVS])."""
