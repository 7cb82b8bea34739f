"""Authoritative answers for the forest's zones."""
