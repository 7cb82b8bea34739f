"""The Kerberos key distribution centre and kpasswd."""
