"""Configuration, listeners and processes."""
