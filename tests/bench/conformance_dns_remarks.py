"""Why a test of conformance_dns.py is not ok with addc: by suite and test; `*` for all of a suite."""

from typing import Final

REMARKS: Final[dict[tuple[str, str], str]] = {}
