"""Descriptors, access checks, tokens and keys; pure."""
