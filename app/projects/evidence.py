"""What was measured of the strategies, for the settings page; docs/lab-log.md has the command and the whole table.

CIFAR-10, 10,000 pictures to ask about and 2,000 to measure on, embedder never fine-tuned, 1,000 to 4,000 answers, 5 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """right: percent named right at the end. above: points named right more than by random, the mean over the whole course,
    from low to high with 95%. saved: percent fewer answers than random needs for what it names right at the end, None where
    it never gets there.
    """

    right: float
    above: float
    low: float
    high: float
    saved: int | None


EVIDENCE = {
    "informative_diverse": Evidence(72.2, 0.98, 0.47, 1.49, 35),
    "waal": Evidence(71.9, 0.80, -0.01, 1.61, 27),
    "dmbal": Evidence(72.0, 0.79, 0.14, 1.43, 28),
    "event_aware_margin": Evidence(72.2, 0.79, 0.03, 1.55, 24),
    "margin": Evidence(72.2, 0.79, 0.03, 1.55, 24),
    "margin_spread": Evidence(72.0, 0.79, 0.03, 1.55, 24),
    "confidence": Evidence(72.0, 0.64, -0.09, 1.37, 30),
    "batch_bald": Evidence(72.0, 0.63, -0.31, 1.57, 26),
    "bald": Evidence(71.9, 0.60, -0.65, 1.85, 25),
    "deepfool": Evidence(71.9, 0.54, -0.14, 1.23, 23),
    "ensemble": Evidence(71.7, 0.51, -0.48, 1.49, 22),
    "entropy": Evidence(71.7, 0.48, -0.54, 1.50, 18),
    "badge": Evidence(71.8, 0.37, -0.16, 0.91, 23),
    "exploration_p": Evidence(71.9, 0.37, -0.51, 1.24, 18),
    "margin_cluster_mean": Evidence(71.3, 0.12, -0.44, 0.69, 9),
    "discriminative": Evidence(71.0, 0.02, -0.87, 0.91, 9),
    "k_center": Evidence(70.8, -0.15, -0.74, 0.44, 0),
    "learning_loss": Evidence(70.7, -0.33, -1.23, 0.57, None),
    "typiclust": Evidence(70.0, -0.57, -1.26, 0.12, None),
    "probcover": Evidence(65.5, -3.19, -3.56, -2.82, None),
}
