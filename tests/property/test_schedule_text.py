"""Every week comes back from its text, [MS-ADTS] 6.1.4.5.2."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from addc.codec.schedule import ALWAYS, QUARTERS, Quarters
from addc.kcc.schedule_text import parse_schedule, show_schedule, show_starts

_SPANS = st.lists(st.tuples(st.integers(0, QUARTERS - 1), st.integers(1, QUARTERS)), max_size=8)
_DAILY = st.tuples(st.integers(0, (1 << 96) - 1), st.integers(0, 127))


def _spanned(spans: list[tuple[int, int]]) -> Quarters:
    week = 0
    for begin, size in spans:
        row = ((1 << size) - 1) << begin
        week |= row | row >> QUARTERS
    return Quarters(week & ALWAYS)


def _repeated(day: int, days: int) -> Quarters:
    return Quarters(sum(day << 96 * at for at in range(7) if days >> at & 1))


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.integers(0, ALWAYS).map(Quarters), _SPANS.map(_spanned), _DAILY.map(lambda one: _repeated(*one))
    )
)
@example(Quarters(ALWAYS - 1))
@example(Quarters(1 << QUARTERS - 1 | 1))
@example(_repeated((1 << 96) - 1, 0b1100011))
def test_a_week_comes_back_from_its_text(week: Quarters) -> None:
    text = show_schedule(week)
    assert parse_schedule(text) == week
    assert show_schedule(parse_schedule(text)) == text
    assert show_starts(week)
