"""Attribute and class look-ups over one immutable snapshot."""
