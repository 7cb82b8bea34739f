"""Kerberos acceptor, SPNEGO and tokens from tickets."""
