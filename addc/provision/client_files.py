"""Files that let clients use a new forest.

Spec: RFC 4120 7.2.3, [MS-KILE] 3.1.5.11
"""

from typing import Final

from addc.provision.answers import Answers

_KRB5_CONF: Final = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_realm = false
    dns_lookup_kdc = true
    dns_canonicalize_hostname = false
    rdns = false
    forwardable = true

[realms]
    {realm} = {{
{servers}
        default_domain = {domain}
    }}

[domain_realm]
    .{domain} = {realm}
    {domain} = {realm}
"""


def krb5_conf(answers: Answers) -> bytes:
    """krb5.conf of a client; it names addresses, so that it works before the client's DNS does."""
    hosts = [f"[{address}]" if address.version == 6 else str(address) for address in answers.addresses]
    servers = [f"        {kind} = {host}" for kind in ("kdc", "kpasswd_server") for host in hosts]
    text = _KRB5_CONF.format(realm=answers.realm, domain=answers.dns_domain, servers="\n".join(servers))
    return text.encode("utf-8")
