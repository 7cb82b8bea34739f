"""SVCCTL: which services of a domain controller run here, over RPC ([MS-SCMR])."""
