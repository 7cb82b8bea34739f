"""Remote management: what an endpoint serves, and as whom."""
