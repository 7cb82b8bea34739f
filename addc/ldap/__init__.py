"""RFC 4511 over TCP and TLS, and CLDAP."""
