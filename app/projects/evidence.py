"""What was measured of the strategies, for the settings page; docs/lab-log.md has the command and the whole table.

CIFAR-10, 10,000 pictures to ask about and 2,000 to measure on, embedder never fine-tuned, 1,000 to 4,000 answers, 5 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """right: percent named right at the end. above: points named right more than by random, the mean over the whole course.

    saved: percent fewer answers than random needs for what it names right at the end.
    """

    right: float
    above: float
    saved: int


EVIDENCE = {
    "margin_spread": Evidence(72.4, 1.0, 29),
    "margin": Evidence(72.0, 0.7, 29),
    "confidence": Evidence(72.1, 0.7, 25),
    "badge": Evidence(71.5, 0.5, 19),
    "entropy": Evidence(71.2, 0.4, 14),
    "margin_cluster_mean": Evidence(71.1, 0.1, 7),
    "k_center": Evidence(71.1, -0.1, 2),
}
