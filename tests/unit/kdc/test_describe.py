"""Messages in words: what is opened with which key, what a PAC says, and which signatures are believed."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.codec.claims import (
    ClaimEntry,
    ClaimsArray,
    ClaimsSet,
    ClaimsSourceType,
    ClaimString,
    ClaimType,
    encode_claims,
)
from addc.codec.ids import Sid
from addc.codec.krb5 import PrincipalName
from addc.codec.pac import Pac, PacType
from addc.kdc.describe import Describer
from addc.kdc.describe_pac import NamedKey, PacKeys, describe_pac, well_known_name
from addc.kdc.describe_values import Showing
from addc.kdc.facts import Principal
from addc.security import wellknown
from addc.security.krb_keys import Key
from tests.kit.fast_client import ArmoredClient
from tests.kit.kdc_realm import ALICE, FILES, KRBTGT, Client, make_key, timestamp
from tests.kit.mutate import mutations


class Keys:
    """The keys of some accounts, by the first part of a name."""

    def __init__(self, *accounts: Principal) -> None:
        self._accounts = accounts

    def keys_of(self, realm: str, name: PrincipalName, etype: int, kvno: int | None) -> list[NamedKey]:
        del realm, kvno
        wanted = {"cifs": "FILES$"}.get(name.name_string[0], name.name_string[0])
        return [
            NamedKey(one.keys.current[etype], one.name)
            for one in self._accounts
            if one.name == wanted and etype in one.keys.current
        ]

    def kdc_keys(self, realm: str) -> list[NamedKey]:
        del realm
        return [NamedKey(key, "krbtgt") for one in self._accounts if one is KRBTGT for key in _all(one)]


def _all(one: Principal) -> list[Key]:
    return list(one.keys.current.values())


def name_of(sid: Sid) -> str:
    return "Readers" if sid.rid() == 1200 else well_known_name(sid)


def describer(*accounts: Principal, keys: bool = False) -> Describer:
    return Describer(Keys(*accounts), name_of, Showing(keys=keys))


def pac_of(ticket: Any) -> dict[str, Any]:
    """The buffers of a shown ticket, by their names."""
    (relevant,) = ticket["authorization_data"]
    (element,) = relevant["elements"]
    return {one["buffer"].split()[0]: one for one in element["pac"]}


@pytest.fixture
def exchange() -> tuple[bytes, bytes, bytes, bytes]:
    """AS and TGS: request and reply of each."""
    client = Client()
    asked = client.as_req(timestamp(ALICE.keys.current[18]))
    granted = client.ask(timestamp(ALICE.keys.current[18]))
    held = client.log_on()
    request = held.tgs_req(subkey=make_key(18, "subkey"))
    return asked.raw, granted.reply, request.raw, held.send(request).reply


def test_a_conversation_opens_itself(exchange: tuple[bytes, bytes, bytes, bytes]) -> None:
    """With the client's key alone: the reply tells the session, which opens the next request, and so on."""
    as_req, as_rep, tgs_req, tgs_rep = exchange
    words: Any = describer(ALICE)
    (shown,) = words.message(as_req)["padata"]
    assert shown["opened"] == "with the key of alice" and shown["patimestamp"].endswith("Z")
    reply = words.message(as_rep)
    assert reply["enc_part"]["opened"] == "with the key of alice"
    assert reply["ticket"]["opened"] == "no: no key of krbtgt/EXAMPLE.COM is at hand"
    (ap_req,) = words.message(tgs_req)["padata"]
    assert ap_req["authenticator"]["cname"].startswith("alice")
    assert words.message(tgs_rep)["enc_part"]["opened"] == "with the key of the authenticator's subkey"


def test_keys_are_hidden_unless_they_are_asked_for(exchange: tuple[bytes, bytes, bytes, bytes]) -> None:
    hidden: Any = describer(ALICE).message(exchange[1])
    shown: Any = describer(ALICE, keys=True).message(exchange[1])
    assert hidden["enc_part"]["key"]["key"] == "hidden (32 bytes)"
    assert len(bytes.fromhex(shown["enc_part"]["key"]["key"])) == 32


def test_the_pac_of_a_service_ticket(exchange: tuple[bytes, bytes, bytes, bytes]) -> None:
    ticket: Any = describer(FILES, KRBTGT).message(exchange[3])["ticket"]
    assert ticket["opened"] == "with the key of FILES$"
    pac = pac_of(ticket)
    logon = pac["LOGON_INFO"]
    assert logon["effective_name"] == "alice" and logon["user"] == "S-1-5-21-1-2-3-1104"
    assert "S-1-5-21-1-2-3-1200 (Readers): MANDATORY, ENABLED_BY_DEFAULT, ENABLED" in logon["group_ids"]
    assert any("authentication authority asserted identity" in one for one in logon["extra_sids"])
    assert any(one.endswith("RESOURCE") for one in logon["resource_group_ids"])
    for kind in ("SERVER_CHECKSUM", "PRIVSVR_CHECKSUM", "TICKET_CHECKSUM", "FULL_CHECKSUM"):
        whose = "FILES$" if kind == "SERVER_CHECKSUM" else "krbtgt"
        assert pac[kind]["verified"] == f"yes, by the key of {whose}"


def test_what_cannot_be_checked_is_not_called_good(exchange: tuple[bytes, bytes, bytes, bytes]) -> None:
    ticket: Any = describer(FILES).message(exchange[3])["ticket"]
    assert pac_of(ticket)["FULL_CHECKSUM"]["verified"] == "not checked: no key of krbtgt is at hand"


def test_a_signature_that_does_not_hold_is_told(exchange: tuple[bytes, bytes, bytes, bytes]) -> None:
    """[MS-PAC] 2.8: a forger who has the service's key has not krbtgt's."""
    other = replace(KRBTGT, keys=replace(KRBTGT.keys, current={18: make_key(18, "another realm's")}))

    class Others(Keys):
        def kdc_keys(self, realm: str) -> list[NamedKey]:
            del realm
            return [NamedKey(key, "another krbtgt") for key in _all(other)]

    ticket: Any = Describer(Others(FILES), name_of).message(exchange[3])["ticket"]
    pac = pac_of(ticket)
    assert pac["SERVER_CHECKSUM"]["verified"].startswith("yes")
    for kind in ("PRIVSVR_CHECKSUM", "TICKET_CHECKSUM", "FULL_CHECKSUM"):
        assert pac[kind]["verified"].startswith("NO: it was not made with the key of another krbtgt")


def test_a_refusal_tells_its_ntstatus() -> None:
    shown: Any = describer().message(replace_standing().reply)
    assert shown["error_code"] == "KDC_ERR_CLIENT_REVOKED (18)"
    assert shown["e_data"] == {"status": "0xc0000072 (STATUS_ACCOUNT_DISABLED)"}


def replace_standing() -> Any:
    disabled = replace(ALICE, standing=replace(ALICE.standing, disabled=True))
    return Client(account=disabled).ask()


def test_every_kind_of_pac_buffer_has_words() -> None:
    from addc.kdc.describe_pac import _WORDS  # noqa: PLC0415 - the table is the promise

    assert set(PacType) - {PacType.REQUESTOR_GUID} <= set(_WORDS)


def test_claims() -> None:
    claims = ClaimsSet(
        (
            ClaimsArray(
                ClaimsSourceType.AD,
                (ClaimEntry("ad://ext/title", ClaimType.STRING, ClaimString(("Chief",))),),
            ),
        ),
        None,
    )
    pac = Pac(((int(PacType.CLIENT_CLAIMS_INFO), encode_claims(claims)),)).pack()
    (shown,) = describe_pac(pac, PacKeys(None, ()), None, name_of)
    assert isinstance(shown, dict)
    assert shown["claims"] == [{"id": "ad://ext/title", "type": "STRING", "values": ["Chief"]}]


def test_bytes_that_are_no_message_are_told() -> None:
    assert "malformed" in describer().message(b"")
    assert "malformed" in describer().message(b"\x6a\x03\x02\x01\x05")


def test_mutated_messages_never_break_it(exchange: tuple[bytes, bytes, bytes, bytes]) -> None:
    words = describer(ALICE, FILES, KRBTGT)
    for changed in mutations(exchange, 400, 4):
        words.message(changed)


@given(st.binary(max_size=200))
def test_any_bytes_are_told(data: bytes) -> None:
    describer(KRBTGT).message(data)


def test_well_known_names() -> None:
    assert well_known_name(wellknown.COMPOUNDED_AUTHENTICATION) == "compounded authentication"
    assert well_known_name(Sid.parse("S-1-5-21-9-9-9-500")) == ""


def test_what_fast_protects_is_shown_to_who_holds_the_keys() -> None:
    """The armor's ticket opens with krbtgt's key, and with that all that is inside. Spec: RFC 6113 5.4."""
    client = ArmoredClient()
    request = client.as_req(client.challenge())
    outcome = client.send(request)
    words: Any = describer(ALICE, KRBTGT)
    (fast,) = words.message(request.raw)["padata"]
    assert fast["opened"] == "with the armor's key" and "armor" in fast
    (challenge,) = [one for one in fast["inside"]["padata"] if "patimestamp" in one]
    assert challenge["opened"] == "with the key of alice, in its armor"
    reply = words.message(outcome.reply)
    assert reply["enc_part"]["opened"] == "with the key of alice, strengthened"
    closed: Any = describer(ALICE)
    assert closed.message(request.raw)["padata"][0]["opened"] == "no"
    assert closed.message(outcome.reply)["enc_part"]["opened"] == "no"
