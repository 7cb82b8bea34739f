"""Rows and transactions in SQL; no directory rules."""
