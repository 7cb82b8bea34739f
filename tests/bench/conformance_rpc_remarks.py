"""Why a test of conformance_rpc_suites.py is not ok with addc: by suite and test; `*` for all of a suite."""

from typing import Final

_BIG_ENDIAN: Final = "big-endian clients are refused at once"
_TCP_LSA: Final = "the LSA's policy is refused over TCP, as on Windows; neither server passes"
_AES: Final = "asks for a channel without AES, which is refused (decision 0039)"
_SEAL: Final = "asks for a channel that is not sealed, which is refused (decision 0039)"
_NO_KEY: Final = "fails alike with both servers: the test has no password in clear"
_REPLICATION: Final = "replication is not built yet; its calls are faults"
_NOT_HERE: Final = "not served: no part of a domain controller's duties"
_SMB1: Final = "speaks SMB 1, which is refused"
_NTLM1: Final = "NTLM without version 2 is refused"
_SESSION_KEY: Final = "the test's own client has no session key on a sealed pipe"
_DISABLED: Final = "the test stops itself; what it did before is ok"
_NO_PASSWORD: Final = "enables an account without a password; the policy refuses that, as Windows' does"
_OWN: Final = "fails alike with both servers, in the test's own client"

REMARKS: Final[dict[tuple[str, str], str]] = {
    ("rpc.bind", "*"): f"pipe: {_BIG_ENDIAN}; tcp: {_TCP_LSA}",
    ("rpc.altercontext", "*"): _TCP_LSA,
    ("rpc.authcontext", "*"): _OWN,
    ("rpc.handles", "lsarpc"): _TCP_LSA,
    ("rpc.handles", "lsarpc-shared"): "looks at the status of another call; over TCP: " + _TCP_LSA,
    ("rpc.objectuuid", "*"): _TCP_LSA,
    ("rpc.epmapper", "epmapper.Map_full"): "endpoints are not registered from outside",
    ("rpc.epmapper", "epmapper.Insert_noreplace"): "endpoints are not registered from outside",
    ("rpc.epmapper", "epmapper.Lookup_simple"): "the last entries come with success, as on Windows",
    ("rpc.countcalls", "*"): "counts calls of absent interfaces too; fails alike with both servers",
    ("rpc.oxidresolve", "*"): "no DCOM objects here: ServerAlive2, which clients ask first, and nothing else",
    ("rpc.lsa", "lsa"): _SESSION_KEY,
    ("rpc.lsalookup", "lsalookup"): "needs a trusted domain",
    ("rpc.lsa.secrets", "*"): f"{_BIG_ENDIAN}; ntlm2:no: {_NTLM1}; seal: {_SESSION_KEY}",
    ("rpc.lsa.trusted.domains", "*"): (
        "of a WRONG_REALM error it wants the client's name, which its variant for MIT forbids; what fails "
        "after that follows from it"
    ),
    ("rpc.lsa.forest.trust", "*"): "needs a second forest",
    ("rpc.lsa.privileges", "*"): "only over pipes",
    ("rpc.samr", "*"): _DISABLED + "; shutting the SAM down is a dangerous test",
    ("rpc.samr.users", "*"): (
        _DISABLED + ", but for a name of 21 characters, which [MS-SAMR] 3.1.1.6 refuses for users"
    ),
    ("rpc.samr.passwords.default", "*"): (
        "LM hashes are not kept, so SamrChangePasswordUser and SamrOemChangePasswordUser2 do not succeed "
        "(decision 0032); a hash of an odd length is a bad stub"
    ),
    ("rpc.samr.handletype", "*"): "opens a domain without SAM_SERVER_LOOKUP_DOMAIN; [MS-SAMR] 3.1.2.1",
    ("rpc.samr.passwords.lockout", "*"): (
        "a lockout that is over ends with its count, [MS-SAMR] 3.1.1.8.3; the test wants the count kept"
    ),
    ("rpc.netlogon", "netlogon.SamLogon"): _SEAL,
    ("rpc.netlogon", "netlogon.SetPassword"): _SEAL,
    ("rpc.netlogon", "netlogon.GetPassword"): _SEAL,
    ("rpc.netlogon", "netlogon.GetTrustPasswords"): _SEAL,
    ("rpc.netlogon", "netlogon.SetPassword2"): _AES,
    ("rpc.netlogon", "netlogon.ServerGetTrustInfo"): _AES,
    ("rpc.netlogon", "netlogon.DatabaseSync2"): _AES,
    **{
        ("rpc.netlogon", f"netlogon.{name}"): "replication to Windows NT is a fault; Windows has ended it too"
        for name in ("DatabaseSync", "DatabaseRedo", "DatabaseDeltas")
    },
    **{
        ("rpc.netlogon", f"netlogon.{name}"): "LAN Manager's calls are faults; Windows: not implemented"
        for name in ("LogonUasLogon", "LogonUasLogoff")
    },
    ("rpc.netlogon", "netlogon.GetDomainInfo_async"): "a dangerous test",
    ("rpc.netlogon", "netlogon.invalidAuthenticate2"): (
        "run twice, the second account claims the computer's name of the first, which is refused"
    ),
    ("rpc.netlogon", "netlogon.lsa_over_netlogon"): "only over pipes",
    ("rpc.netlogon", "netlogon.ManyGetDCName"): "only over pipes",
    ("rpc.netlogon", "*"): _NO_KEY,
    ("rpc.netlogon-s3", "netlogon.SetPassword2"): _AES,
    ("rpc.netlogon-s3", "netlogon.SetPassword_with_flags"): _AES,
    ("rpc.netlogon-s3", "*"): _SEAL,
    ("rpc.netlogon.zerologon", "*"): _AES,
    ("rpc.fips.netlogon.crypto", "*"): _AES,
    ("rpc.schannel", "*"): _SEAL,
    ("rpc.schannel2", "*"): _SEAL,
    ("rpc.samlogon", "*"): _AES,
    ("rpc.samsync", "*"): _AES,
    ("rpc.pac", "netr-mem-aes.s4u2proxy-aes"): (
        "knows PACs of 8 buffers; the full checksum of today is the ninth"
    ),
    ("rpc.pac", "netr-mem-arcfour.s4u2proxy-arcfour"): (
        "knows PACs of 8 buffers; the full checksum of today is the ninth"
    ),
    ("rpc.pac", "*"): f"{_OWN}; arcfour: {_AES}",
    ("rpc.join", "*"): _SMB1,
    ("rpc.drsuapi", "drsuapi.DsGetDomainControllerInfo"): "LDAP connections are not listed: not supported",
    ("rpc.drsuapi", "drsuapi.DsCrackNames"): "looks for an account of Windows Server 2003",
    ("rpc.drsuapi", "*"): _REPLICATION,
    ("rpc.drsuapi_w2k8", "*"): "knows extensions of 48 octets; [MS-DRSR] 5.39 has 52",
    ("rpc.cracknames", "*"): "wants output as DS_SID_OR_SID_HISTORY_NAME, unlike [MS-DRSR] 4.1.4.2.25",
    ("rpc.dsgetinfo", "*"): _REPLICATION,
    ("rpc.srvsvc", "srvsvc (admin access).NetCharDevEnum"): "obsolete; [MS-SRVS] does not have it",
    ("rpc.srvsvc", "srvsvc (admin access).NetCharDevQEnum"): "obsolete; [MS-SRVS] does not have it",
    ("rpc.srvsvc", "srvsvc (admin access).NetShareAddSetDel"): "a dangerous test",
    ("rpc.srvsvc", "*"): "nobody in particular opens the pipe srvsvc, as on Windows",
    ("rpc.wkssvc", "*"): "a call of administration that is a fault here (decision 0037), or a dangerous test",
    ("rpc.winreg", "winreg.HKLM"): "QueryMultipleValues is a fault here (decision 0037)",
    ("rpc.winreg", "*"): "the test stops itself: the registry is read only (decision 0037)",
    ("rpc.svcctl", "*"): "services are not changed from afar (decision 0037)",
    ("rpc.eventlog", "*"): "not served: the log is the operator's, in lines of JSON",
    ("rpc.dfs", "*"): "not served: there are no namespaces but SYSVOL's and NETLOGON's referrals",
    ("rpc.backupkey", "*"): "[MS-BKRP] 3.1.4.1.2 and later versions of the test say ERROR_INVALID_ACCESS",
    ("rpc.samba3", "smb2-pipe-read-logoff"): "the answer after the logoff is not taken; Samba hangs",
    ("rpc.samba3", "pipes_supported_interfaces"): "interfaces of lsass are in all its pipes, as on Windows",
    ("rpc.samba3", "sharesec"): "needs a privilege that Samba alone has",
    ("rpc.samba3", "regconfig"): "needs Samba's configuration in the registry",
    ("rpc.samba3", "srvsvc"): "wants levels of NetrShareEnumSticky that [MS-SRVS] 3.1.4.9 does not know",
    ("rpc.samba3", "*"): _SMB1,
    ("net.usermod", "*"): _NO_PASSWORD,
    ("net.api.modifyuser", "*"): _NO_PASSWORD,
    ("net.api.delshare", "*"): "folders of the host are the operator's to share",
    ("ntp.signd", "*"): "asks a local socket of Samba's; signed time is served on UDP 123",
    **{
        (f"rpc.{name}", "*"): _NOT_HERE
        for name in (
            "atsvc", "echo", "frsapi", "initshutdown", "browser", "ntsvcs", "unixinfo", "remact",
            "spoolss.win", "fsrvp", "witness", "clusapi",
        )
    },
}  # fmt: skip
