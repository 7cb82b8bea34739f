"""The ground floor: clock, limits, identifiers, secrets, error families. Imports nothing of ours."""
