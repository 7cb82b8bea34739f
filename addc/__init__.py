"""addc: an Active Directory domain controller."""
