"""A service that asks for users, run where the KDC is within reach: tasks in, answers out, both as JSON.

`python -m tests.kit.s4u_desk` reads {"kdc", "realm", "keys": {account: AES-256 key in hexadecimal}, "tasks"}.
A task names who asks and how: {"service", "spn", "user", "evidence", "target", "rbcd"}; without a service the
user asks for itself, without a target the evidence is the answer. evidence: "self" (S4U2Self), "logon", or
"not-forwardable" (a logon's ticket without the flag).
Prints a list of {"ticket", "flags", "cname"} or {"error", "status"}, in the order of the tasks.
"""

import json
import socket
import sys
from typing import Any, Final

from addc.base.clock import SystemClock
from addc.codec.krb5 import (
    EncTgsRepPart,
    KerbErrorData,
    KerbExtError,
    KrbError,
    PrincipalName,
    TgsRep,
    Ticket,
)
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.security.krb_keys import Key, KeyUsage, decrypt
from tests.kit.kerberos_messages import AES256, KRB_ERROR, Granted, Login, as_req, granted, tgs_req
from tests.kit.s4u import RBCD, pa_for_user

_KDC: Final = 88
_TIMEOUT_S: Final = 10.0


class RefusedError(Exception):
    """A KRB-ERROR."""

    def __init__(self, reply: bytes) -> None:
        error = KrbError.unpack(reply)
        status = NtStatus.STATUS_SUCCESS
        if error.e_data is not None and error.e_data[:1] == b"\x30":
            value = KerbErrorData.unpack(error.e_data).data_value
            status = NtStatus(KerbExtError.unpack(value or b"").status)
        self.told = {"error": KrbErrorCode(error.error_code).name, "status": status.name}
        super().__init__(self.told["error"])


class Desk:
    """One realm's clients, each with one ticket-granting ticket."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._kdc, self._realm, self._keys = given["kdc"], given["realm"], given["keys"]
        self._tgts: dict[str, Granted] = {}

    def _ask(self, message: bytes) -> bytes:
        with (
            socket.create_connection((self._kdc, _KDC), timeout=_TIMEOUT_S) as sock,
            sock.makefile("rb") as file,
        ):
            sock.sendall(len(message).to_bytes(4, "big") + message)
            reply = file.read(int.from_bytes(file.read(4), "big"))
        if reply[0] == KRB_ERROR:
            raise RefusedError(reply)
        return reply

    def _tgt(self, name: str) -> Granted:
        found = self._tgts.get(name)
        if found is None:
            who = Login(name, self._realm, Key(AES256, bytes.fromhex(self._keys[name])))
            found = self._tgts[name] = granted(who, self._ask(as_req(who, SystemClock().now())))
        return found

    def _get(self, name: str, spn: str, **more: Any) -> tuple[Ticket, dict[str, Any]]:
        tgt = self._tgt(name)
        reply = TgsRep.unpack(self._ask(tgs_req(tgt, spn, SystemClock().now(), **more)))
        plain = decrypt(tgt.session, KeyUsage.TGS_REP_ENC_PART_SESSION, reply.enc_part.cipher)
        flags = EncTgsRepPart.unpack(plain).flags
        told = {"ticket": reply.ticket.pack().hex(), "flags": flags, "cname": str(reply.cname)}
        return reply.ticket, told

    def do(self, task: dict[str, Any]) -> dict[str, Any]:
        service, user = task.get("service"), task["user"]
        target: str | None = task.get("target")
        if service is None:
            return self._get(user, task["target"])[1]
        if task["evidence"] == "self":
            name = PrincipalName(1, (user,))
            padata = (pa_for_user(self._tgt(service).session, name, self._realm),)
            evidence, told = self._get(service, task["spn"], padata=padata)
        else:
            evidence, told = self._get(user, task["spn"], forwardable=task["evidence"] == "logon")
        if target is None:
            return told
        return self._get(service, target, evidence=evidence, padata=(RBCD,) if task["rbcd"] else ())[1]


def main() -> None:
    given = json.load(sys.stdin)
    desk, out = Desk(given), []
    for task in given["tasks"]:
        try:
            out.append(desk.do(task))
        except RefusedError as refused:
            out.append(refused.told)
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
