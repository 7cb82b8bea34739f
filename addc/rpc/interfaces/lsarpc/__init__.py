"""LSA: domain policy and translation of names over RPC ([MS-LSAD], [MS-LSAT])."""
