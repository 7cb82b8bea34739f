"""The addc command."""
