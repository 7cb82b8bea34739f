"""NETLOGON, the Netlogon Remote Protocol: secure channels, logons passed through, and where DCs are."""
