"""A schema extension as large products bring it: LDIF in the style of ldifde, of any size.

Blocks of attributes of every syntax, pairs of links, auxiliary and structural classes that use them,
additions to classes of the base schema, and schemaUpdateNow wherever names are used that came before.
"""

import base64
from collections.abc import Iterator
from typing import Final

from addc.codec.ldif import Record

OID: Final = "1.3.6.1.4.1.99999.7"
_SYNTAXES: Final = (
    ("2.5.5.12", 64), ("2.5.5.9", 2), ("2.5.5.8", 1), ("2.5.5.10", 4), ("2.5.5.11", 24), ("2.5.5.16", 65),
    ("2.5.5.5", 22), ("2.5.5.9", 10),
)  # fmt: skip
_UPDATE: Final = "dn:\nchangetype: modify\nadd: schemaUpdateNow\nschemaUpdateNow: 1\n-\n"
_PLACE: Final = "CN=Schema,CN=Configuration,DC=X"


def extension(attributes: int, classes: int, block: int = 50) -> str:
    """LDIF text. block: attributes between two updates of the schema cache."""
    parts = []
    for first in range(0, attributes, block):
        parts += [_attribute(number) for number in range(first, min(first + block, attributes))]
        parts.append(_UPDATE)
    per_class = max(1, attributes // classes)
    step = max(1, block // 4)
    for first in range(0, classes, step):
        parts += [_class(number, per_class) for number in range(first, min(first + step, classes))]
        parts.append(_UPDATE)
    for cn, attribute, value in (("User", "auxiliaryClass", "extAux0"), ("Group", "mayContain", "extAttr0")):
        lines = [f"dn: CN={cn},{_PLACE}", "changetype: ntdsSchemaModify", f"add: {attribute}"]
        parts.append("\n".join([*lines, f"{attribute}: {value}", "-", ""]))
    parts.append(_UPDATE)
    return "\n".join(parts)


def _attribute(number: int) -> str:
    lines = [f"dn: CN=ext-Attr{number},{_PLACE}", "changetype: ntdsSchemaAdd", "objectClass: attributeSchema"]
    lines += [f"attributeID: {OID}.1.{number}", f"adminDisplayName: ext-Attr{number}"]
    if number % 20 == 18:  # a forward link, and its back link right after it
        lines += ["attributeSyntax: 2.5.5.1", "oMSyntax: 127", "oMObjectClass:: KwwCh3McAIVK"]
        lines += ["linkID: 1.2.840.113556.1.2.50", "isSingleValued: FALSE"]
    elif number % 20 == 19:
        lines += ["attributeSyntax: 2.5.5.1", "oMSyntax: 127", "oMObjectClass:: KwwCh3McAIVK"]
        lines += [f"linkID: {OID}.1.{number - 1}", "isSingleValued: FALSE"]
    else:
        syntax, om_syntax = _SYNTAXES[number % len(_SYNTAXES)]
        lines += [f"attributeSyntax: {syntax}", f"oMSyntax: {om_syntax}"]
        lines += [f"isSingleValued: {'FALSE' if number % 3 else 'TRUE'}"]
        lines += [f"searchFlags: {1 if number % 4 == 0 else 0}"]
    lines += [f"lDAPDisplayName: extAttr{number}", "showInAdvancedViewOnly: TRUE"]
    return "\n".join(lines) + "\n"


def _class(number: int, per_class: int) -> str:
    """Every fourth class is auxiliary; the others take its kind along."""
    auxiliary = number % 4 == 0
    lines = [f"dn: CN=ext-Class{number},{_PLACE}", "changetype: ntdsSchemaAdd", "objectClass: classSchema"]
    lines += [f"governsID: {OID}.2.{number}", f"objectClassCategory: {3 if auxiliary else 1}"]
    name = f"extAux{number}" if auxiliary else f"extClass{number}"
    lines += [f"lDAPDisplayName: {name}", "subClassOf: top", "showInAdvancedViewOnly: TRUE"]
    lines += [f"mayContain: extAttr{number * per_class + n}" for n in range(per_class)]
    if not auxiliary:
        lines += ["possSuperiors: container", "possSuperiors: organizationalUnit", "rDNAttID: cn"]
        if number % 4 == 1 and number > 1:
            lines.append(f"auxiliaryClass: {OID}.2.{number - 1 - (number - 1) % 4}")
        lines.append("defaultSecurityDescriptor: D:(A;;GA;;;DA)(A;;GA;;;SY)(A;;GR;;;AU)")
    lines.append(f"defaultObjectCategory: CN=ext-Class{number},{_PLACE}")
    return "\n".join(lines) + "\n"


def plain(records: list[Record], root_dn: str) -> Iterator[Record]:
    """The records as ldifde sends them: their kinds by LDAP's names, the forest's DN in its place."""
    for record in records:
        dn = record.dn.replace("DC=X", root_dn)
        attributes = tuple(
            (name, tuple(value.replace(b"DC=X", root_dn.encode()) for value in values))
            for name, values in record.attributes
        )
        yield Record(record.line, dn, record.kind, False, attributes, record.modifications, record.new_rdn)


def to_ldif(record: Record) -> str:
    """One record as OpenLDAP's tools read it."""
    lines = [f"dn: {record.dn}" if record.dn else "dn:", f"changetype: {record.kind}"]
    for name, values in record.attributes:
        lines += [_value(name, value) for value in values]
    for part in record.modifications:
        lines.append(f"{part.op.name.lower()}: {part.attribute}")
        lines += [*[_value(part.attribute, value) for value in part.values], "-"]
    return "\n".join(lines) + "\n"


def _value(name: str, value: bytes) -> str:
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if text.isprintable() and text and text[0] not in " :<":
        return f"{name}: {text}"
    return f"{name}:: {base64.b64encode(value).decode()}"
