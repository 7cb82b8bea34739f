"""Makes docs/replication-plan.svg: a forest of five sites before and after it loses a site link.

Run as `python -m tests.gate.plan_picture`.
"""

from pathlib import Path
from typing import Final

from addc.kcc.picture.page import as_svg
from addc.kcc.plan import applied, plan_forest
from addc.kcc.reading.what_if import apply, without
from addc.kcc.telling.findings import findings
from tests.kit.kcc_pages import five_sites

PICTURE: Final = Path(__file__).resolve().parents[2] / "docs" / "replication-plan.svg"


def render() -> str:
    """What the file should say: as `addc kcc --plan --without link:ZRH-BRN --format svg` tells it."""
    at_work = applied(plan_forest(five_sites()))
    plan = plan_forest(apply(at_work, [without("link:ZRH-BRN")]))
    return as_svg(plan, findings=findings(plan))


if __name__ == "__main__":
    PICTURE.write_text(render(), encoding="utf-8")
