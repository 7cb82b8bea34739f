"""addc: an Active Directory domain controller."""

__version__ = "0.1.0"
