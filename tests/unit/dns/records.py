"""Records for tests."""

from addc.codec.dns_rdata import DnsRecord, DnsType, RecordData


def record(kind: DnsType, data: RecordData, ttl_s: int = 600) -> DnsRecord:
    return DnsRecord(type=kind, ttl_s=ttl_s, data=data)
