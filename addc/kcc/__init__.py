"""The Knowledge Consistency Checker: which DC replicates from which, and why, planned from a frozen view."""
