"""Secrets that pass through SAM's calls are told in no log, no fault and no refusal."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from addc.base.secret import Secret
from addc.codes.ntstatus import NtStatus
from addc.rpc.call import RpcFault
from addc.rpc.interfaces.samr import idl
from addc.security.krb_keys import nt_hash
from addc.security.sam_policy import PasswordChanges, SamPolicy
from addc.security.token import ANONYMOUS
from tests.kit.rpc_desk import SESSION_KEY
from tests.kit.sam_desk import SamDesk, salted_rc4, sealed_rc4

OLD, NEW = "Secr3t.Word", "An0ther.Word"


def _forms(password: str) -> list[str]:
    """How a password and its hash would look in a text."""
    clear = password.encode("utf-16-le")
    hashed = nt_hash(Secret(clear))
    return [password, clear.hex(), repr(clear)[2:-1], hashed.hex(), repr(hashed)[2:-1]]


def test_passwords_and_keys_are_told_nowhere(sam: SamDesk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sam.corp.user("anna", OLD)
    sam.rpc.host.sam = SamPolicy(PasswordChanges.ALL)
    told: list[str] = []

    def note(work: Callable[[], object]) -> None:
        try:
            told.append(repr(work()))
        except (AssertionError, RpcFault) as error:
            told.append(repr(error))

    admin = sam.client(sam.corp.admin)
    user = admin.user("anna")
    assert admin.set(user, 24, idl.UserInternal5Information(sealed_rc4(NEW), 0)) is NtStatus.STATUS_SUCCESS
    for damaged in (b"\0" * 516, b"\xff" * 516, bytes(range(256)) * 2 + b"\0\0\0\4"):
        wrong = replace(sealed_rc4(NEW), buffer=damaged)
        note(partial(admin.set, user, 24, idl.UserInternal5Information(wrong, 0)))
    note(partial(admin.set, user, 26, idl.UserInternal5InformationNew(salted_rc4(NEW), 0)))
    for name in ("anna", "nobody", "krbtgt"):
        proof = idl.OwfPassword(bytes(16))
        change = idl.SamrUnicodeChangePasswordUser2(None, name, sealed_rc4(NEW), proof, 0, None, None)
        note(partial(sam.client(ANONYMOUS).status, change))
    for record in caplog.records:
        told += [record.getMessage(), repr(record.__dict__)]
    text = "\n".join(told)
    for secret in (*_forms(OLD), *_forms(NEW), SESSION_KEY.reveal().hex(), repr(SESSION_KEY.reveal())[2:-1]):
        assert secret not in text, secret
