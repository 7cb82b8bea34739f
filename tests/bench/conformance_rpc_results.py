"""What a run found, kept as JSON beside others: server, suite, binding, test."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.smbtorture import Outcome, Told


@dataclass(slots=True)
class Results:
    """`by_server[server][suite][binding][test]`; `put` replaces what an earlier run found of that suite."""

    by_server: dict[str, dict[str, dict[str, dict[str, Told]]]] = field(default_factory=dict)

    def put(self, server: str, suite: str, binding: str, told: dict[str, Told]) -> None:
        self.by_server.setdefault(server, {}).setdefault(suite, {})[binding] = told

    def save(self, path: Path) -> None:
        path.write_text(
            json.dumps(
                {
                    server: {
                        suite: {
                            binding: {name: [one.outcome, one.reason] for name, one in told.items()}
                            for binding, told in bindings.items()
                        }
                        for suite, bindings in suites.items()
                    }
                    for server, suites in self.by_server.items()
                },
                indent=1,
            )
            + "\n"
        )


def load(path: Path) -> Results:
    """Those of an earlier run; none when there is no file."""
    found = Results()
    if path.exists():
        for server, suites in json.loads(path.read_text()).items():
            for suite, bindings in suites.items():
                for binding, told in bindings.items():
                    found.put(
                        server,
                        suite,
                        binding,
                        {name: Told(Outcome(kind), reason) for name, (kind, reason) in told.items()},
                    )
    return found
