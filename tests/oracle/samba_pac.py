"""Samba's NDR of PACs, for the system's Python: hex on each line of stdin, JSON on each of stdout."""

import json
import sys
from typing import Any

from samba.dcerpc import krb5pac
from samba.ndr import ndr_pack, ndr_unpack


def logon(info: Any) -> dict[str, Any]:
    base = info.info3.base
    return {
        "account": base.account_name.string,
        "full_name": base.full_name.string,
        "server": base.logon_server.string,
        "domain": base.logon_domain.string,
        "domain_sid": str(base.domain_sid),
        "rid": base.rid,
        "primary_gid": base.primary_gid,
        "groups": [[one.rid, one.attributes] for one in base.groups.rids or ()],
        "user_flags": base.user_flags,
        "acct_flags": base.acct_flags,
        "logon_time": base.logon_time,
        "logon_count": base.logon_count,
        "sids": [[str(one.sid), one.attributes] for one in info.info3.sids or ()],
        "resource_domain": str(info.resource_groups.domain_sid or ""),
        "resource_groups": [[one.rid, one.attributes] for one in info.resource_groups.groups.rids or ()],
    }


def describe(data: bytes) -> dict[str, Any]:
    pac = ndr_unpack(krb5pac.PAC_DATA, data)
    out: dict[str, Any] = {"repacked": ndr_pack(pac).hex(), "types": []}
    for buffer in pac.buffers:
        out["types"].append(buffer.type)
        if buffer.type == krb5pac.PAC_TYPE_LOGON_INFO:
            out["logon"] = logon(buffer.info.info)
        elif buffer.type == krb5pac.PAC_TYPE_LOGON_NAME:
            out["client"] = [buffer.info.logon_time, buffer.info.account_name]
        elif buffer.type == krb5pac.PAC_TYPE_UPN_DNS_INFO:
            info = buffer.info
            out["upn"] = [info.upn_name, info.dns_domain_name, info.flags]
            if info.flags & 2:
                out["upn"] += [info.ex.samaccountname, str(info.ex.objectsid)]
        elif buffer.type == krb5pac.PAC_TYPE_SRV_CHECKSUM:
            out["server"] = [buffer.info.type, bytes(buffer.info.signature).hex()]
        elif buffer.type == krb5pac.PAC_TYPE_ATTRIBUTES_INFO:
            out["attributes"] = [buffer.info.flags_length, buffer.info.flags]
        elif buffer.type == krb5pac.PAC_TYPE_REQUESTER_SID:
            out["requester"] = str(buffer.info.sid)
        elif buffer.type == krb5pac.PAC_TYPE_CONSTRAINED_DELEGATION:
            info = buffer.info.info
            out["delegation"] = [
                info.proxy_target.string,
                [one.string for one in info.transited_services],
            ]
    return out


for line in sys.stdin:
    print(json.dumps(describe(bytes.fromhex(line.strip()))))
