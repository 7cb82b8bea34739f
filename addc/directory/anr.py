"""Ambiguous name resolution: an aNR clause becomes clauses on the attributes that name people.

Spec: [MS-ADTS] 3.1.1.3.1.3.4.
"""

from typing import Final

from addc.codec.filter import (
    And,
    Approx,
    Equal,
    Filter,
    GreaterOrEqual,
    LessOrEqual,
    Not,
    Or,
    Present,
    Substrings,
)
from addc.schema.snapshot import Schema

ANR_FLAG: Final = 0x4
"""fANR of searchFlags."""

FALSE: Final = Or(())
"""RFC 4526: an Or without terms."""
UNDEFINED: Final = Present("2.5.4.0.0")
"""A clause on an attribute that no schema has."""

_LEGACY: Final = "legacyExchangeDN"


def is_anr(attribute: str) -> bool:
    """Whether a clause's attribute is aNR, by name or OID."""
    return attribute.lower() in ("anr", "1.2.840.113556.1.4.1208")


def mentions_anr(term: Filter) -> bool:
    """Whether a filter has an aNR clause anywhere; depth is bounded by the decoder."""
    if isinstance(term, And | Or):
        return any(mentions_anr(inner) for inner in term.terms)
    if isinstance(term, Not):
        return mentions_anr(term.term)
    return term.attribute is not None and is_anr(term.attribute)


class Rewriter:
    """Replaces the aNR clauses of a filter.

    first_last, last_first: fSupFirstLastANR and fSupLastFirstANR, which suppress that order of the two names.
    """

    def __init__(self, schema: Schema, *, first_last: bool, last_first: bool) -> None:
        names = [one.name for one in schema.attributes if one.search_flags & ANR_FLAG]
        self.legacy = _LEGACY in names
        self.names = [name for name in names if name != _LEGACY]
        self.first_last = first_last
        self.last_first = last_first

    def rewrite(self, term: Filter) -> Filter:
        """The filter without aNR clauses."""
        if isinstance(term, And):
            return And(tuple(self.rewrite(inner) for inner in term.terms))
        if isinstance(term, Or):
            return Or(tuple(self.rewrite(inner) for inner in term.terms))
        if isinstance(term, Not):
            return Not(self.rewrite(term.term))
        if term.attribute is None or not is_anr(term.attribute):
            return term
        if isinstance(term, Present):
            return FALSE
        if isinstance(term, Substrings):
            return self._value(term.initial) if term.initial else UNDEFINED
        if isinstance(term, Equal | Approx | GreaterOrEqual | LessOrEqual):
            return self._value(term.value)
        return UNDEFINED

    def _value(self, value: bytes) -> Filter:
        stripped = value.lstrip(b" ")
        exact = stripped.startswith(b"=")
        if exact:
            value = stripped[1:]
        if not value:
            return UNDEFINED

        def clause(name: str, part: bytes) -> Filter:
            return Equal(name, part) if exact else Substrings(name, part, (), None)

        terms = [clause(name, value) for name in self.names]
        if self.legacy:
            terms.append(Equal(_LEGACY, value))
        first, blank, second = value.partition(b" ")
        if blank and first and second:
            if not self.first_last:
                terms.append(And((clause("givenName", first), clause("sn", second))))
            if not self.last_first:
                terms.append(And((clause("givenName", second), clause("sn", first))))
        return Or(tuple(terms))
