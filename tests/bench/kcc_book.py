"""The planner's trees beside the document's pseudocode, over thousands of graphs at random.

python -m tests.bench.kcc_book [graphs [seed]]
"""

import random
import sys

from tests.kit.kcc_book_shapes import difference, larger_shape, small_shape

GRAPHS = 5000
LARGER_EVERY = 10


def main(arguments: list[str]) -> int:
    graphs = int(arguments[0]) if arguments else GRAPHS
    seed = int(arguments[1]) if len(arguments) > 1 else 1
    rng = random.Random(seed)  # noqa: S311  # the same graphs for the same seed
    for at in range(graphs):
        shape = (larger_shape if at % LARGER_EVERY == 0 else small_shape)(rng)
        found = difference(shape)
        if found:
            print(f"graph {at} of seed {seed}: {shape}\n{found}")
            return 1
    print(f"{graphs} graphs of seed {seed}: every edge of every tree is that of the pseudocode")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
