"""Plans told to people and machines: reports, findings, explanations, latency."""
