"""Which suites of smbtorture are run, over which bindings, and for how long at most."""

from typing import Final

from tests.kit.smbtorture import Suite

_NP: Final = "ncacn_np:{}"
_NP_SIGN: Final = "ncacn_np:{}[sign]"
_NP_SEAL: Final = "ncacn_np:{}[seal]"
_TCP: Final = "ncacn_ip_tcp:{}"
_TCP_SIGN: Final = "ncacn_ip_tcp:{}[sign]"
_TCP_SEAL: Final = "ncacn_ip_tcp:{}[seal]"

_PIPE: Final = (_NP,)
_PIPES: Final = (_NP, _NP_SEAL)
_BOTH: Final = (_NP, _NP_SEAL, _TCP_SEAL)
_TCP_ONLY: Final = (_TCP_SEAL,)

RPC_SUITES: Final = (
    # The runtime.
    Suite("rpc.bind", (_NP, _TCP), 90),
    Suite("rpc.altercontext", (_NP, _TCP_SEAL)),
    Suite("rpc.asyncbind", (_NP,)),
    Suite("rpc.authcontext", (_TCP_SEAL,)),
    Suite("rpc.handles", (_NP, _TCP_SEAL)),
    Suite("rpc.objectuuid", (_NP, _TCP_SEAL)),
    Suite("rpc.epmapper", (_NP, _TCP)),
    Suite("rpc.mgmt", (_NP, _TCP), 90),
    Suite("rpc.countcalls", (_NP,), 120),
    Suite("rpc.oxidresolve", (_TCP_SIGN,)),
    # The LSA.
    Suite("rpc.lsa", _BOTH, 90),
    Suite("rpc.lsalookup", (_NP,)),
    Suite("rpc.lsa-getuser", _PIPES),
    Suite("rpc.lsa.lookupsids", _BOTH),
    Suite("rpc.lsa.lookupnames", _BOTH),
    Suite("rpc.lsa.secrets", (_NP,), 90),
    Suite("rpc.lsa.trusted.domains", _PIPE, 120),
    Suite("rpc.lsa.forest.trust", _PIPE, 90),
    Suite("rpc.lsa.privileges", _BOTH),
    Suite("rpc.dssetup", (_NP, _TCP_SEAL)),
    # The SAM.
    Suite("rpc.samr", _PIPES, 240),
    Suite("rpc.samr.users", _PIPES, 240),
    Suite("rpc.samr.passwords.default", _PIPE, 240),
    Suite("rpc.samr.accessmask", _PIPE),
    Suite("rpc.samr.handletype", _PIPE),
    Suite("rpc.samr.machine.auth", _PIPE),
    Suite("rpc.samr.passwords.pwdlastset", _PIPE, 400),
    Suite("rpc.samr.passwords.badpwdcount", _PIPE, 240),
    Suite("rpc.samr.passwords.lockout", _PIPE, 240),
    Suite("rpc.samr.passwords.validate", _TCP_ONLY),
    Suite("rpc.samr.users.privileges", _PIPE),
    Suite("rpc.samr.priv", _PIPE),
    # NETLOGON and what logs on through it.
    Suite("rpc.netlogon", (_NP, _TCP_SEAL), 150),
    Suite("rpc.netlogon-s3", _PIPE, 90),
    Suite("rpc.netlogon.admin", _PIPE, 90),
    Suite("rpc.netlogon.zerologon", _PIPE, 90),
    Suite("rpc.fips.netlogon.crypto", _PIPE, 90),
    Suite("rpc.schannel", (_NP, _TCP), 150),
    Suite("rpc.schannel2", (_NP, _TCP), 90),
    Suite("rpc.schannel_anon_setpw", _PIPE),
    Suite("rpc.samlogon", _PIPE, 150),
    Suite("rpc.samsync", _PIPE),
    Suite("rpc.pac", (_NP,), 120),
    Suite("rpc.join", _PIPE, 90),
    # Replication's interface, as far as joins need it.
    Suite("rpc.drsuapi", _TCP_ONLY, 90),
    Suite("rpc.drsuapi_w2k8", _TCP_ONLY),
    Suite("rpc.cracknames", _TCP_ONLY, 90, ("--option=torture:samba4=yes",)),
    Suite("rpc.dsgetinfo", _TCP_ONLY),
    # Small interfaces.
    Suite("rpc.srvsvc", _PIPES),
    Suite("rpc.wkssvc", _PIPES),
    Suite("rpc.winreg", _PIPES, 120),
    Suite("rpc.svcctl", (_NP, _TCP_SEAL)),
    Suite("rpc.eventlog", _PIPE),
    Suite("rpc.dfs", _PIPE),
    Suite("rpc.backupkey", (_NP_SEAL,), 120),
    # As Samba's file server is asked.
    Suite("rpc.samba3", _PIPE, 150, ("--option=torture:wksname=torturewks",)),
    # What a domain controller need not have.
    *(
        Suite(f"rpc.{name}", _PIPE, absent=True)
        for name in (
            "atsvc", "echo", "frsapi", "initshutdown", "browser", "ntsvcs", "unixinfo", "spoolss.win",
            "fsrvp",
        )
    ),
    *(Suite(f"rpc.{name}", (_TCP_SIGN,), absent=True) for name in ("remact", "witness", "clusapi")),
    # Libraries above it.
    *(
        Suite(f"net.{name}", _PIPE)
        for name in (
            "userinfo", "useradd", "userdel", "usermod", "domopen", "groupinfo", "groupadd", "api.lookup",
            "api.lookuphost", "api.lookuppdc", "api.lookupname", "api.createuser", "api.deleteuser",
            "api.modifyuser", "api.userinfo", "api.userlist", "api.groupinfo", "api.grouplist",
            "api.creategroup", "api.rpcconn.bind", "api.rpcconn.srv", "api.rpcconn.pdc", "api.rpcconn.dc",
            "api.rpcconn.dcinfo", "api.listshares", "api.delshare", "api.domopenlsa", "api.domcloselsa",
            "api.domopensamr", "api.domclosesamr", "api.domlist",
        )
    ),
    Suite("ntp.signd", _PIPE),
)  # fmt: skip
"""Left out: what is asked of machines that are no domain controllers (printing, Spotlight), the benchmarks,
rpc.scanner, rpc.samr.large-dc (a load), api.become.dc (replication)."""
