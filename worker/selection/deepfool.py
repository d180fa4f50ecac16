"""DFAL: the crops that the smallest push would carry over a boundary of the classifier (DeepFool)."""

import numpy as np

from worker.learning.classifier import BLOCK, Classifier
from worker.selection import random_pick
from worker.selection.learnt import classifier_of, margins_of, refuse
from worker.selection.pool import Floats, Pool, Rows
from worker.selection.ranking import lowest

CANDIDATES, SHARE = 20_000, 10
MOST_STEPS, OVERSHOOT = 50, 0.02


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k rows nearest to another class, as DeepFool measures it in the space of the vectors.

    Measured for the 20,000 open rows of the smallest margin, 10 k where that is more. By chance while fewer than two
    classes have a label. Raises NotEnough, and ValueError naming a row that is not finite. Ducoffe & Precioso 2018,
    "Adversarial active learning for deep networks: a margin based approach", Alg. 1; Ren et al. 2021, sec. 3.1.
    """
    rows = pool.open_rows(k)
    network = classifier_of(pool, rng)
    if not k or len(network.named()) < 2:
        return random_pick.select(pool, k, rng)
    few = rows
    if len(rows) > (most := max(CANDIDATES, SHARE * k)):
        few = np.sort(np.array(lowest(margins_of(pool, rng), rows, most), dtype=np.int64))
    reach = np.empty(len(few), dtype=np.float32)
    for lo in range(0, len(few), BLOCK):
        block = np.asarray(pool.vectors[few[lo : lo + BLOCK]], dtype=np.float32)
        refuse(block, few[lo : lo + BLOCK])
        reach[lo : lo + BLOCK] = distances(network, block)
    return [int(few[point]) for point in lowest(reach, np.arange(len(few)), k)]


def distances(network: Classifier, vectors: Floats) -> Floats:
    """(b, d) -> (b,) the length of DeepFool's push, in the units of the vectors. Moosavi-Dezfooli et al. 2016, Alg. 2.

    Every gradient is hidden.T @ u for some u (100,), so the search runs in the space of u, and d is met only twice.
    """
    named = [row for row, number in enumerate(network.classes) if number in network.named()]
    output, bias = network.output[named], network.output_bias[named]
    hidden = network.hidden / network.scale
    gram = hidden @ hidden.T
    start = (vectors - network.mean) @ hidden.T + network.hidden_bias
    first = (np.maximum(start, 0) @ output.T + bias).argmax(axis=1)
    push = np.zeros_like(start)
    moving: Rows = np.arange(len(vectors))
    for _ in range(MOST_STEPS):
        at = start[moving] + (1 + np.float32(OVERSHOOT)) * (push[moving] @ gram)
        scores = np.maximum(at, 0) @ output.T + bias
        still = scores.argmax(axis=1) == first[moving]
        moving, at, scores = moving[still], at[still], scores[still]
        if not len(moving):
            break
        push[moving] += steps_to(first[moving], at > 0, scores, output, gram)
    found: Floats = np.sqrt(np.maximum(np.vecdot(push, push @ gram), 0))
    asleep = ~(start[moving] + push[moving] @ gram > 0).any(axis=1)
    found[moving[asleep]] = np.inf  # no neuron passes a gradient: no push changes the class
    return found


def steps_to(first: Rows, awake: Floats, scores: Floats, output: Floats, gram: Floats) -> Floats:
    """(b, 100) the step to the nearest boundary, were the network linear here. Moosavi-Dezfooli et al. 2016, eq. 8, 9.

    first: (b,) the class to leave. awake: (b, 100) which hidden neurons pass a gradient. scores: (b, C).
    """
    everyone = np.arange(len(first))
    slopes, sizes = np.empty_like(scores), scores - scores[everyone, first][:, None]
    for other in range(len(output)):
        slope = awake * (output[other] - output[first])
        slopes[:, other] = np.vecdot(slope, slope @ gram)
    flat = slopes <= np.finfo(np.float32).tiny
    reach = np.where(flat, np.inf, np.abs(sizes) / np.sqrt(np.where(flat, 1, slopes)))
    nearest = reach.argmin(axis=1)
    length = np.abs(sizes[everyone, nearest]) / np.where(flat, np.inf, slopes)[everyone, nearest]
    step: Floats = length[:, None] * awake * (output[nearest] - output[first])
    return step
