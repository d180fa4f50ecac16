"""BatchBALD: the crops that together tell the most about the weights, so that two of a kind count once."""

import numpy as np

from worker.selection import random_pick
from worker.selection.learnt import tells_apart
from worker.selection.members import chances_of, doubts_of, dropout_samples
from worker.selection.pool import Floats, Pool, Rows
from worker.selection.ranking import lowest

SAMPLES, FIRST = 100, 20  # dropout masks, and how many of them look at every row
JOINTLY = 100  # picks; the joint information cannot exceed ln(100 masks), and is at rest long before
CANDIDATES, SHARE = 500, 4  # at least so many rows a joint pick
BLOCK = 2**20  # chances at a time
ANSWERS = 512  # answers to the picked rows: all of them up to here, then so many by chance


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose k rows, each the one that adds the most to I(y_1..y_j; w), the joint mutual information.

    Candidates are the 500 rows of the highest BALD (20 masks), 4 a pick where that is more; after 100 picks the rest
    follows in the order of BALD. The networks are fitted here on the pool's labels; by chance while fewer than two classes
    have one. Raises NotEnough, and ValueError where a vector is not finite. Kirsch et al. 2019, "BatchBALD: efficient
    and diverse batch acquisition for deep Bayesian active learning", Alg. 1, eq. 9 to 14; Ren et al. 2021, eq. 4.
    """
    rows = pool.open_rows(k)
    if not k or not tells_apart(pool):
        return random_pick.select(pool, k, rng)
    networks = dropout_samples(pool, SAMPLES, rng)
    whole, own = doubts_of(networks[:FIRST], pool.vectors, rows)
    jointly = min(k, JOINTLY)
    best = np.array(lowest(own - whole, np.arange(len(rows)), min(max(CANDIDATES, SHARE * jointly, k), len(rows))))
    few: Rows = rows[best]
    heard = few[: max(CANDIDATES, SHARE * jointly)]
    points = greedy_joint(chances_of(networks, np.asarray(pool.vectors[heard], dtype=np.float32)), jointly, rng)
    picks = [int(heard[point]) for point in points]
    rest = few[~np.isin(few, picks)]
    return picks + [int(row) for row in rest[: k - jointly]]


def greedy_joint(chances: Floats, k: int, rng: np.random.Generator) -> list[int]:
    """(S, u, C), k <= u -> k points, each the largest gain of joint mutual information; ties to the lowest.

    I(y_1..y_j; w) grows by E H(y_j | y_1..y_{j-1}) - E_w H(y_j | w). Kept of the answers y_1..y_{j-1}: the chance of
    each, and of each sample of the weights after it. Exact up to 512 answers; then 512 of them drawn and drawn on.
    """
    samples = len(chances)
    alone = entropy_of(chances).mean(axis=0)
    beliefs = np.full((1, samples), 1 / samples, dtype=np.float32)
    shares = np.ones(1, dtype=np.float32)
    points: list[int] = []
    for _ in range(k):
        gain = expected_doubts(beliefs, shares, chances) - alone
        gain[points] = -np.inf
        points.append(int(gain.argmax()))
        beliefs, shares = after(beliefs, shares, chances[:, points[-1]], rng)
    return points


def expected_doubts(beliefs: Floats, shares: Floats, chances: Floats) -> Floats:
    """(u,) the entropy of each row's answer that is left after the answers before it, (a, S) and (a,); in blocks."""
    samples, u, classes = chances.shape
    found = np.empty(u, dtype=np.float32)
    wide = max(BLOCK // (len(beliefs) * classes), 1)
    for lo in range(0, u, wide):
        block = chances[:, lo : lo + wide]
        spread = beliefs @ block.reshape(samples, -1)
        found[lo : lo + wide] = shares @ entropy_of(spread.reshape(len(beliefs), -1, classes))
    return found


def entropy_of(chances: Floats) -> Floats:
    """(..., C) -> (...) in nats."""
    found: Floats = -(chances * np.log(np.maximum(chances, np.finfo(np.float32).tiny))).sum(axis=-1)
    return found


def after(beliefs: Floats, shares: Floats, chances: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Beliefs (a, S) and shares (a,) of the answers, once the row with these chances (S, C) is answered too."""
    following = beliefs @ chances
    if following.size <= ANSWERS:
        shares = (shares[:, None] * following).ravel()
        beliefs = (beliefs[:, None] * chances.T).reshape(-1, beliefs.shape[1])
    else:
        if len(beliefs) < ANSWERS:
            mine = rng.choice(len(shares), size=ANSWERS, p=shares / shares.sum(dtype=np.float64))
            beliefs, following = beliefs[mine], following[mine]
            shares = np.full(ANSWERS, 1 / ANSWERS, dtype=np.float32)
        ladder = following.cumsum(axis=1)
        answer = (ladder < rng.random((len(ladder), 1)) * ladder[:, -1:]).sum(axis=1)
        beliefs = beliefs * chances.T[answer]
    sizes = beliefs.sum(axis=1, keepdims=True)
    likely = sizes[:, 0] > 0
    return beliefs[likely] / sizes[likely], shares[likely]
