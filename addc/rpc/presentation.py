"""Presentation contexts: which interface in which transfer syntax, of those that a client proposes.

One PDU makes at most one new context: NDR where the client offers it anywhere, else NDR64; what else it
proposes of the same interface is rejected, as Windows does. NDR is preferred: every client speaks it, its
stubs are shorter, and Windows' clients follow the server's choice.

Spec: [C706] 12.6.3.1, [MS-RPCE] 2.2.2.4, 3.3.1.5.3, 3.3.1.5.6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.codec.interface import Interface
from addc.rpc.pdu import (
    NDR32_SYNTAX,
    NDR64_SYNTAX,
    BindTimeFeature,
    ContextElement,
    ContextResult,
    ProviderReason,
    SyntaxId,
    Verdict,
    bind_time_features,
)

PREFERENCE: Final = (NDR32_SYNTAX, NDR64_SYNTAX)
_FEATURES: Final = BindTimeFeature.SECURITY_CONTEXT_MULTIPLEXING | BindTimeFeature.KEEP_CONNECTION_ON_ORPHAN
_UNKNOWN: Final = ContextResult(Verdict.PROVIDER_REJECTION, ProviderReason.ABSTRACT_SYNTAX_NOT_SUPPORTED)
_REJECTED: Final = ContextResult(Verdict.PROVIDER_REJECTION, ProviderReason.TRANSFER_SYNTAXES_NOT_SUPPORTED)


@dataclass(frozen=True, slots=True)
class Presentation:
    """One context of a connection."""

    context_id: int
    interface: Interface
    abstract: SyntaxId
    transfer: SyntaxId

    @property
    def is_ndr64(self) -> bool:
        return self.transfer == NDR64_SYNTAX


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What came of a bind or alter_context. new: the context to keep, if any."""

    results: tuple[ContextResult, ...]
    new: Presentation | None = None


Served = Mapping[tuple[UUID, int], Interface]


def negotiate(
    elements: Sequence[ContextElement], served: Served, known: Mapping[int, Presentation], *, features: bool
) -> Negotiated | None:
    """The answer to each proposed context; None where the client breaks the rules.

    known: the contexts that there are, by id. features: they may be asked for (in a bind alone).
    """
    results: list[ContextResult | None] = [None] * len(elements)
    if any(not element.transfers for element in elements):
        return None
    if features:
        asked = [
            (at, found) for at, element in enumerate(elements) if (found := _features(element)) is not None
        ]
        if len(asked) > 1:
            return None
        for at, wanted in asked:
            results[at] = ContextResult(Verdict.NEGOTIATE_ACK, wanted & _FEATURES)
    taken: Presentation | None = None
    for transfer in PREFERENCE:
        for at, element in enumerate(elements):
            if results[at] is not None and results[at] is not _REJECTED:
                continue
            interface = _interface(element.abstract, served)
            if interface is None:
                results[at] = _UNKNOWN
                continue
            results[at] = _REJECTED
            if taken is not None:
                continue
            fits = transfer in element.transfers
            old = known.get(element.context_id)
            if old is not None and (old.abstract != element.abstract or (fits and old.transfer != transfer)):
                return None
            if fits:
                taken = old or Presentation(element.context_id, interface, element.abstract, transfer)
                results[at] = ContextResult(Verdict.ACCEPTANCE, 0, transfer)
    is_new = taken is not None and taken.context_id not in known
    return Negotiated(tuple(one for one in results if one is not None), taken if is_new else None)


def _features(element: ContextElement) -> int | None:
    return bind_time_features(element.transfers[0])


def _interface(abstract: SyntaxId, served: Served) -> Interface | None:
    """The interface, if its minor version is at least the one wanted. Spec: [C706] 6.1.1.1."""
    found = served.get((abstract.uuid, abstract.major))
    return found if found is not None and found.version[1] >= abstract.minor else None
