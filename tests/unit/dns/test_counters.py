"""Numbers that processes share."""

import os

from addc.dns.counters import Count, SharedCounters, alone


def test_rows_add_up_over_processes() -> None:
    shared = SharedCounters(2)
    shared.row(0)[Count.UDP_QUERIES] += 2
    if (pid := os.fork()) == 0:
        shared.row(1)[Count.UDP_QUERIES] += 3
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert shared.totals()[Count.UDP_QUERIES] == 5 and shared.totals()[Count.UPDATES] == 0
    shared.forget()
    assert set(shared.totals().values()) == {0}


def test_a_process_by_itself_counts_too() -> None:
    numbers = alone()
    numbers[Count.NXDOMAIN] += 1
    assert numbers[Count.NXDOMAIN] == 1 and len(numbers) == len(Count)
