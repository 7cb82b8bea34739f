"""Number tables of the protocols and their one mapping."""
