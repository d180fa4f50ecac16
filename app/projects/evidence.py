"""What was measured of the strategies, for the settings page; docs/lab-log.md has the command and the whole table.

CIFAR-10, 10,000 pictures to ask about and 2,000 to measure on, embedder never fine-tuned, 1,000 to 4,000 answers, 5 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """right: percent named right at the end. above, low, high: points above random over the whole course, paired, 95%.

    saved: percent fewer answers than random needs for what it names right at the end; None where it never gets there.
    """

    right: float
    above: float
    low: float
    high: float
    saved: int | None


EVIDENCE = {
    "margin_spread": Evidence(72.4, 1.0, 0.4, 1.6, 29),
}
