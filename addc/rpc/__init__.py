"""DCE/RPC: the protocol, its endpoints, and the interfaces of a domain controller."""
