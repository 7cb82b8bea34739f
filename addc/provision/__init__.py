"""The objects of a new forest."""
