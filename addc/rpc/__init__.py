"""DCE/RPC: the protocol, its endpoints, and the interfaces of a domain controller.

Octets: pdu (every PDU, declared once), auth_layer (signing and sealing of fragments), presentation (which
interface, which transfer syntax), verification (trailers), towers (bindings).
Connections: engine (the server's end), initiator (the client's end); both pure.
Who calls: proofs (a security provider's tokens, judged), contexts (association groups and their handles).
Operations: call (what one is given, what an interface is), dispatch (stubs in, stubs out), refusals, pages
(enumerations), file_server and dns_server (the SMB and the DNS server as interfaces see them).
Ports and pipes: service, endpoints; client (over TCP).
The interfaces themselves: interfaces, a package for each.
"""
