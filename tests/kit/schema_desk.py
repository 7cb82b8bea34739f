"""Schema changes as an administrator's client sends them: short words over one LDAP connection."""

from collections.abc import Sequence

from addc.codec.filter import Filter, Present, parse_text
from addc.codes.ldap_result import LdapResult
from addc.ldap import messages as m
from tests.kit.corp_forest import CONFIG_DN
from tests.kit.ldap_desk import Desk, LdapClient

SCHEMA_DN = f"CN=Schema,{CONFIG_DN}"
OID_BASE = "1.3.6.1.4.1.99999.1"
EVERYTHING: Filter = Present("objectClass")

Values = str | bytes | Sequence[str | bytes]


def wire(values: Values) -> tuple[bytes, ...]:
    several = [values] if isinstance(values, str | bytes) else values
    return tuple(one.encode() if isinstance(one, str) else one for one in several)


class SchemaDesk:
    """An administrator at work on the schema."""

    def __init__(self, client: LdapClient) -> None:
        self.client = client

    @classmethod
    def open(cls, desk: Desk) -> "SchemaDesk":
        client = desk.connect(tls=True)
        assert client.bind().result_code == LdapResult.SUCCESS
        return cls(client)

    # --- any object ---

    def add(self, dn: str, object_class: Values, **values: Values) -> m.LdapResultFields:
        """`_` in names stands for `-`."""
        attributes = {"objectClass": object_class, **{k.replace("_", "-"): v for k, v in values.items()}}
        parts = tuple(m.PartialAttribute(name, wire(value)) for name, value in attributes.items())
        return self.client.ask(m.AddRequest(dn, parts))

    def modify(self, dn: str, *changes: tuple[int, str, Values]) -> m.LdapResultFields:
        """changes: operation (0 add, 1 delete, 2 replace), attribute, values."""
        parts = tuple(m.Change(op, m.PartialAttribute(name, wire(values))) for op, name, values in changes)
        return self.client.ask(m.ModifyRequest(dn, parts))

    def rename(self, dn: str, rdn: str) -> m.LdapResultFields:
        return self.client.ask(m.ModifyDnRequest(dn, rdn, True))

    def delete(self, dn: str) -> m.LdapResultFields:
        return self.client.ask(m.DelRequest(dn))

    def search(
        self, base: str, wanted: str | Filter = EVERYTHING, *attributes: str, scope: int = 2
    ) -> list[dict[str, list[bytes]]]:
        """The entries found, by attribute; the DN under "dn"."""
        term = parse_text(wanted) if isinstance(wanted, str) else wanted
        found = self.client.send(m.SearchRequest(base, scope, 0, 0, 0, False, term, attributes))
        result = found[-1].protocol_op
        assert isinstance(result, m.LdapResultFields)
        assert result.result_code == LdapResult.SUCCESS, result
        entries = [one.protocol_op for one in found if isinstance(one.protocol_op, m.SearchResultEntry)]
        return [
            {"dn": [one.object_name.encode()], **{part.type: list(part.vals) for part in one.attributes}}
            for one in entries
        ]

    def read(self, dn: str, *attributes: str) -> dict[str, list[bytes]]:
        (found,) = self.search(dn, EVERYTHING, *attributes, scope=0)
        return found

    # --- the schema ---

    @staticmethod
    def dn(cn: str) -> str:
        return f"CN={cn},{SCHEMA_DN}"

    def attribute(self, cn: str, number: int, **values: Values) -> m.LdapResultFields:
        """Add an attribute: one Unicode string, unless told otherwise."""
        plain: dict[str, Values] = {
            "attributeID": f"{OID_BASE}.1.{number}",
            "attributeSyntax": "2.5.5.12",
            "oMSyntax": "64",
            "isSingleValued": "TRUE",
        }
        return self.add(self.dn(cn), "attributeSchema", **{**plain, **values})

    def class_(self, cn: str, number: int, **values: Values) -> m.LdapResultFields:
        """Add a class: structural and below containers, unless told otherwise."""
        plain: dict[str, Values] = {
            "governsID": f"{OID_BASE}.2.{number}",
            "objectClassCategory": "1",
            "subClassOf": "top",
            "possSuperiors": ["container", "organizationalUnit"],
        }
        return self.add(self.dn(cn), "classSchema", **{**plain, **values})

    def update_now(self) -> None:
        answer = self.modify("", (0, "schemaUpdateNow", "1"))
        assert answer.result_code == LdapResult.SUCCESS, answer


def succeeded(answer: m.LdapResultFields) -> None:
    assert answer.result_code == LdapResult.SUCCESS, (answer.result_code, answer.diagnostic_message)


def refused(answer: m.LdapResultFields, code: int, result: LdapResult) -> None:
    """The answer is this pair: the Win32 code begins the message."""
    assert answer.result_code == result, (answer.result_code, answer.diagnostic_message)
    assert answer.diagnostic_message.startswith(f"{code:08X}:"), answer.diagnostic_message
