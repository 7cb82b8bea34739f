"""Runs Samba's own Kerberos tests, as its packages install them, against a DC whose keys come from us.

Belongs to the system's Python, which alone has Samba's bindings:
`python3 samba_krb5_harness.py KEYS_COMMAND MODULE...` with Samba's environment (SERVER, REALM, ...). Their
harness fetches accounts' keys by DRSUAPI; this one asks KEYS_COMMAND (tests.kit.account_keys) by DN.
Prints one line of JSON for each test: its name, how it ended (ok, skip, fail, error), and why.
"""

import importlib
import json
import os
import shlex
import subprocess
import sys
import unittest
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

KEYS_ELSEWHERE: Final = "needs a remote procedure"
_PACKAGE: Final = "samba.tests.krb5"
_OVERLAY: Final = "SAMBA_KRB5_TESTS"
"""Names a folder whose modules stand in for the installed ones (tests of a newer Samba)."""
_TICKET_USAGE: Final = 2
_AS_REP, _TGS_REP = 11, 13
_ONLY: Final = "SAMBA_KRB5_ONLY"
"""A piece of the names of the tests to run."""


class KeySource:
    """Asks a child process for the keys of accounts."""

    def __init__(self, command: str) -> None:
        self._child = subprocess.Popen(
            shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, line: str) -> dict[int, str]:
        """Keys in hexadecimal by encryption type, of the account of that DN."""
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()
        answer = json.loads(self._child.stdout.readline())
        if "error" in answer:
            raise AssertionError(f"{line}: {answer['error']}")
        return {int(etype): key for etype, key in answer.items()}

    def close(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()


class Lines(unittest.TestResult):
    """Tells of each test as it ends."""

    def _tell(self, test: unittest.TestCase, outcome: str, why: str) -> None:
        print(json.dumps({"test": test.id(), "outcome": outcome, "why": why}), flush=True)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._tell(test, "ok", "")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._tell(test, "skip", reason)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        self._tell(test, "fail", _cause(err))

    def addError(self, test: unittest.TestCase, err: object) -> None:
        self._tell(test, "error", _cause(err))

    def addSubTest(self, test: unittest.TestCase, subtest: object, err: object) -> None:
        if err is not None:
            self._tell(test, "fail", _cause(err))


def _cause(err: object) -> str:
    """The exception, and the innermost line of the test's own module that led to it."""
    assert isinstance(err, tuple)
    _, value, trace = err
    where = ""
    while trace is not None:
        name = os.path.basename(trace.tb_frame.f_code.co_filename)
        if name.endswith("_tests.py") or not where:
            where = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{where} {type(value).__name__}: {str(value)[:600]}"


def decode_service_ticket(self: Any, creds: Any, ticket: Any) -> object:
    """4.17 makes up a salt here: only RC4, which has none, went well with it."""
    grammar = importlib.import_module(f"{_PACKAGE}.rfc4120_pyasn1")
    key = self.PasswordKey_from_creds(creds, ticket["enc-part"]["etype"])
    plain = key.decrypt(_TICKET_USAGE, ticket["enc-part"]["cipher"])
    return self.der_decode(plain, asn1Spec=grammar.EncTicketPart())


def as_later_versions_know(case: Any) -> None:
    """4.17 expects no ticket signatures of the AS exchange; later versions saw Windows make them."""
    check_buffers, verify = case.check_pac_buffers, case.verify_ticket

    def check_pac_buffers(self: Any, data: object, exchange: dict[str, Any]) -> object:
        if exchange["rep_msg_type"] == _AS_REP and not self.is_tgs(exchange["expected_sname"]):
            exchange = {**exchange, "rep_msg_type": _TGS_REP}
        return check_buffers(self, data, exchange)

    def verify_ticket(self: Any, ticket: Any, *words: Any, **named: Any) -> object:
        if "service_ticket" in named:
            named["service_ticket"] = not self.is_tgs(ticket.ticket["sname"])
        for name in ("expect_ticket_checksum", "expect_full_checksum"):
            if named.get(name) is False:
                named[name] = None
        return verify(self, ticket, *words, **named)

    case.check_pac_buffers, case.verify_ticket = check_pac_buffers, verify_ticket


class _AnyText:
    """Contains every text: Samba's sentences about passwords are its own."""

    def __contains__(self, item: object) -> bool:
        return True


def own_words(case: Any) -> None:
    """kpasswd: neither Samba's sentences nor the time, which a reply has where its request had one."""
    exchange = case.kpasswd_exchange

    def kpasswd_exchange(
        self: Any, ticket: object, password: object, code: object, _: object, *words: object, **named: object
    ) -> object:
        missing = self.assertElementMissing

        def but_times(found: object, element: str) -> None:
            if element not in ("timestamp", "usec"):
                missing(found, element)

        self.assertElementMissing = but_times
        try:
            return exchange(self, ticket, password, code, _AnyText(), *words, **named)
        finally:
            self.assertElementMissing = missing

    case.kpasswd_exchange = kpasswd_exchange


def patch(base: ModuleType, keys: KeySource) -> None:
    """Replace what asks other services than KDC and LDAP, and what fails by itself."""

    def get_keys(self: object, *words: object, expected_etypes: object = None) -> dict[int, str]:
        """In 4.17 (samdb, dn), later (creds)."""
        del self, expected_etypes
        of = words[-1]
        dn = str(of.get_dn()) if hasattr(of, "get_dn") else str(of)
        return keys.ask(dn)

    def remote(what: str) -> Callable[..., object]:
        def refuse(*words: object, **named: object) -> object:
            del words, named
            raise unittest.SkipTest(f"{KEYS_ELSEWHERE}: {what}")

        return refuse

    case = base.KDCBaseTest
    case.decode_service_ticket = decode_service_ticket
    as_later_versions_know(case)
    own_words(case)

    def reveal(self: Any, dn: object) -> None:
        """What asking for secrets in an RODC's name does: they are noted as revealed to it."""
        keys.ask(f"reveal {dn}\t{self.get_mock_rodc_ctx().acct_dn}")

    case.get_keys = get_keys
    case.get_secrets = remote("drsuapi")
    case.reveal_account_to_mock_rodc = reveal
    case.get_rodc_samdb = remote("a read-only DC")
    base.net.Net = remote("samr")


def main() -> int:
    package = importlib.import_module(_PACKAGE)
    overlay = os.environ.get(_OVERLAY)
    if overlay:
        package.__path__ = [overlay]
    keys = KeySource(sys.argv[1])
    patch(importlib.import_module(f"{_PACKAGE}.kdc_base_test"), keys)
    loader, result = unittest.TestLoader(), Lines()
    only = os.environ.get(_ONLY)
    if only:
        loader.testNamePatterns = [f"*{piece}*" for piece in only.split(",")]
    for name in sys.argv[2:]:
        loader.loadTestsFromName(f"{_PACKAGE}.{name}").run(result)
    keys.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
