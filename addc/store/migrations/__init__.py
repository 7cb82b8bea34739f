"""Numbered changes of the SQL schema."""
