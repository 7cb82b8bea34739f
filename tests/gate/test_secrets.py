"""Secrets are compared in constant time: no `==` on what a client could guess byte by byte."""

import ast
from pathlib import Path
from typing import Final

from tests.gate.source_tree import name_of, product_files

_SECRETS: Final = frozenset(
    (
        "checksum", "cksum", "digest", "mac", "mic", "signature", "hmac", "proof", "nt_hash", "password",
        "secret", "session_key", "key_value", "keyvalue", "reveal", "expected_mac", "token_mac",
        "response", "nt_proof", "message_integrity_code", "hmac_sha1", "hmac_sha256", "insecure_hmac_md5",
    )
)  # fmt: skip
_ADAPTER: Final = "addc.security.crypto"


def _word(node: ast.expr) -> str:
    """The last name of an expression: of `a.b.mic`, "mic"; of `secret.reveal()`, "reveal"."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Call():
            return _word(node.func)
        case ast.Subscript():
            return _word(node.value)
    return ""


def _is_fixed(node: ast.expr) -> bool:
    """A literal or a constant's name, which is no secret."""
    match node:
        case ast.Constant() | ast.Tuple() | ast.Set():
            return True
        case ast.Name():
            return node.id.isupper()
        case ast.Attribute():
            return node.attr.isupper() or (isinstance(node.value, ast.Name) and node.value.id[:1].isupper())
    return False


def compared_secrets(source: str) -> list[int]:
    """Lines on which something that is named like a secret is compared by `==`, `!=` or `in`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        if not all(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(_word(one) in _SECRETS for one in sides) and not any(map(_is_fixed, sides)):
            found.append(node.lineno)
    return found


def _lines(path: Path) -> list[str]:
    return [f"{name_of(path)}:{line}" for line in compared_secrets(path.read_text())]


def test_secrets_are_compared_in_constant_time() -> None:
    wrong = [
        line for path in product_files() if not name_of(path).startswith(_ADAPTER) for line in _lines(path)
    ]
    assert not wrong, wrong


def test_the_look_finds_what_it_is_for() -> None:
    assert compared_secrets("if made == cksum.checksum:\n  pass") == [1]
    assert compared_secrets("ok = key.reveal() != other") == [1]
    assert compared_secrets("ok = mic in known") == [1]
    assert compared_secrets("ok = equal(made, mic)\nbad = checksum == None\nfine = mac == EMPTY") == []
