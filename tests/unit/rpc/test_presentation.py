"""Which interface in which transfer syntax, [MS-RPCE] 3.3.1.5.3, 3.3.1.5.6."""

from dataclasses import replace
from uuid import UUID

from addc.codec.interface import interface
from addc.rpc.pdu import (
    NDR32_SYNTAX,
    NDR64_SYNTAX,
    NO_SYNTAX,
    ContextElement,
    ContextResult,
    SyntaxId,
    Verdict,
    features_syntax,
)
from addc.rpc.presentation import Negotiated, Presentation, negotiate

TOY = interface("toy", "11111111-2222-3333-4444-555555555555", (1, 2))
SERVED = {(TOY.uuid, 1): TOY}
ABSTRACT = SyntaxId(TOY.uuid, 1)
ACCEPTED = ContextResult(Verdict.ACCEPTANCE, 0, NDR32_SYNTAX)
UNKNOWN = ContextResult(Verdict.PROVIDER_REJECTION, 1, NO_SYNTAX)
REJECTED = ContextResult(Verdict.PROVIDER_REJECTION, 2, NO_SYNTAX)


def element(number: int, *transfers: SyntaxId, abstract: SyntaxId = ABSTRACT) -> ContextElement:
    return ContextElement(number, abstract, transfers or (NDR32_SYNTAX,))


def results(
    *elements: ContextElement, known: dict[int, Presentation] | None = None
) -> tuple[ContextResult, ...]:
    found = negotiate(elements, SERVED, known or {}, features=True)
    assert found is not None
    return found.results


def test_ndr_is_taken_wherever_it_is_offered() -> None:
    assert results(element(0)) == (ACCEPTED,)
    assert results(element(0, NDR64_SYNTAX, NDR32_SYNTAX)) == (ACCEPTED,)
    assert results(element(0, NO_SYNTAX, NDR32_SYNTAX)) == (ACCEPTED,)
    # Windows' clients offer each in a context of its own.
    assert results(element(0, NDR64_SYNTAX), element(1)) == (REJECTED, ACCEPTED)


def test_ndr64_is_taken_where_there_is_no_ndr() -> None:
    assert results(element(0, NDR64_SYNTAX)) == (replace(ACCEPTED, transfer=NDR64_SYNTAX),)


def test_one_pdu_makes_one_context() -> None:
    assert results(element(0), element(1)) == (ACCEPTED, REJECTED)
    found = negotiate((element(4), element(5)), SERVED, {}, features=True)
    assert found is not None and found.new == Presentation(4, TOY, ABSTRACT, NDR32_SYNTAX)


def test_other_interfaces_and_other_versions_are_unknown() -> None:
    stranger = SyntaxId(UUID(int=7), 1)
    newer_minor, other_major = SyntaxId(TOY.uuid, 1 | 3 << 16), SyntaxId(TOY.uuid, 2)
    for abstract in (stranger, newer_minor, other_major):
        assert results(element(0, abstract=abstract)) == (UNKNOWN,)
    assert results(element(0, abstract=SyntaxId(TOY.uuid, 1 | 1 << 16))) == (ACCEPTED,)


def test_other_transfer_syntaxes_are_rejected() -> None:
    assert results(element(0, NO_SYNTAX)) == (REJECTED,)


def known(transfer: SyntaxId = NDR32_SYNTAX) -> dict[int, Presentation]:
    return {1: Presentation(1, TOY, ABSTRACT, transfer)}


def test_a_context_that_is_there_is_taken_again() -> None:
    found = negotiate((element(1),), SERVED, known(), features=False)
    assert found == Negotiated((ACCEPTED,))


def test_a_context_does_not_change_its_interface_or_its_syntax() -> None:
    assert negotiate((element(1, NDR64_SYNTAX),), SERVED, known(), features=False) is None
    other = {1: Presentation(1, TOY, SyntaxId(UUID(int=9), 1), NDR32_SYNTAX)}
    assert negotiate((element(1),), SERVED, other, features=False) is None
    # With a syntax that nobody knows it is merely rejected.
    assert negotiate((element(1, NO_SYNTAX),), SERVED, known(), features=False) == Negotiated((REJECTED,))


def test_a_context_without_transfer_syntaxes_breaks_the_rules() -> None:
    assert negotiate((ContextElement(0, ABSTRACT, ()),), SERVED, {}, features=True) is None


def test_bind_time_features_are_granted_as_far_as_they_are_known() -> None:
    for asked, granted in ((0, 0), (1, 1), (3, 3), (0xFF, 3)):
        assert results(element(0, features_syntax(asked))) == (ContextResult(Verdict.NEGOTIATE_ACK, granted),)


def test_features_count_in_the_first_place_alone_and_once() -> None:
    first = element(0, features_syntax(1), features_syntax(2))
    assert results(first) == (ContextResult(Verdict.NEGOTIATE_ACK, 1),)
    assert results(element(0, NDR32_SYNTAX, features_syntax(1))) == (ACCEPTED,)
    twice = (element(0, features_syntax(1)), element(1, features_syntax(2)))
    assert negotiate(twice, SERVED, {}, features=True) is None


def test_features_are_not_negotiated_later() -> None:
    found = negotiate((element(0, features_syntax(1)),), SERVED, {}, features=False)
    assert found == Negotiated((REJECTED,))
