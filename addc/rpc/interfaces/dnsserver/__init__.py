"""The interface DnsServer: management of the DNS server. Spec: [MS-DNSP]."""
