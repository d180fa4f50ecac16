"""Five drawn animals as bones: silhouettes that a detector trained on photos can find, not zoology.

Metres, as in flesh.py. A figure is a function of the walk's phase (radians) and of the head's height (0 feeding, 1 up).
"""

from collections.abc import Callable

import numpy as np

from worker.simulation.flesh import FAR_SIDE, Coat, Figure, Limb, Sprite, Strokes, flesh_out
from worker.simulation.textures import Array, Colour, mix, ramp, smooth_noise


def draw(species: str, px_per_m: float, rng: np.random.Generator, *, stride: float, head: float, left: bool) -> Sprite:
    """Draw one animal.

    species: a key of FIGURES. px_per_m: its size in the photo. stride: phase of the walk in radians. head: 0 low
    (feeding) to 1 high. left: it looks to the left.
    """
    return flesh_out(FIGURES[species](rng, stride, head), px_per_m, rng, left=left)


def _legs(
    hip: tuple[float, float],
    shoulder: tuple[float, float],
    radii: tuple[float, float, float],
    colour: Colour,
    foot: Colour,
    stride: float,
    step: float,
    knee_back: float,
) -> list[Limb]:
    """Four walking legs: two far ones behind, two near ones in front. radii: thigh, knee, foot in metres."""
    limbs = []
    for number, (place, back) in enumerate([(hip, True), (shoulder, False), (hip, True), (shoulder, False)]):
        phase = stride + (0.0, np.pi * 0.9, np.pi, np.pi * 1.9)[number]
        swing, lift = float(np.sin(phase)) * step, max(0.0, float(np.cos(phase))) * step * 0.25
        knee = (place[0] + swing * 0.45 + (-knee_back if back else knee_back * 0.3), place[1] * 0.5 + lift)
        ankle = (place[0] + swing + (-knee_back * 0.2 if back else 0.0), radii[2] * 1.5 + lift)
        thigh = radii[0] * (1.35 if back else 1.0)
        depth = FAR_SIDE if number < 2 else 0.03
        limbs.append(Limb([(*place, thigh), (*knee, radii[1]), (*ankle, radii[2])], colour, depth, "y", True))
        tip = (ankle[0] + radii[2] * 1.3, radii[2] * 0.8 + lift)
        limbs.append(Limb([(ankle[0], ankle[1] - radii[2] * 0.4, radii[2]), (*tip, radii[2] * 0.9)], foot, depth, "y"))
    return limbs


def leopard(_rng: np.random.Generator, stride: float, head: float) -> Figure:
    coat, pale = (205.0, 158.0, 92.0), (232.0, 214.0, 180.0)
    up = 0.10 * (head - 0.5)
    sway = float(np.sin(stride)) * 0.06
    hx, hy = 0.73, 0.66 + up
    limbs = [
        *_legs((-0.48, 0.46), (0.38, 0.44), (0.095, 0.055, 0.042), coat, coat, stride, 0.20, 0.09),
        Limb(
            [(-0.6, 0.54, 0.05), (-0.85, 0.4, 0.04), (-1.05, 0.26 + sway, 0.038), (-1.28, 0.36 + sway, 0.036)],
            coat,
            patterned=True,
        ),
        Limb([(-0.5, 0.53, 0.17), (-0.2, 0.50, 0.155), (0.1, 0.50, 0.165), (0.4, 0.53, 0.175)], coat, patterned=True),
        Limb([(0.42, 0.57, 0.14), (0.66, hy - 0.01, 0.105)], coat, 0.02, patterned=True),
        Limb([(hx - 0.07, hy + 0.105, 0.036), (hx - 0.075, hy + 0.125, 0.03)], (90.0, 70.0, 48.0), 0.05),
        Limb([(hx, hy, 0.112), (hx + 0.03, hy - 0.015, 0.10)], coat, 0.05, patterned=True),
        Limb([(hx + 0.075, hy - 0.045, 0.058), (hx + 0.115, hy - 0.05, 0.048)], pale, 0.09),
        Limb([(hx + 0.15, hy - 0.035, 0.016), (hx + 0.155, hy - 0.038, 0.014)], (70.0, 40.0, 36.0), 0.13),
    ]
    return Figure(limbs, (hx + 0.055, hy + 0.035, 0.014), pale, 0.008, 0.16, pattern=_rosettes)


def _rosettes(coat: Coat) -> Array:
    """Rings with a darker middle on the flanks; Worley's cells give their places."""
    cell = 0.082
    warp = [smooth_noise(coat.rng, coat.x.shape, (coat.x.shape[0] // 12, coat.x.shape[1] // 12)) for _ in range(2)]
    u, v = coat.x / cell * 0.9 + warp[0] * 0.16, coat.y / cell + warp[1] * 0.16
    column, row = np.floor(u), np.floor(v)
    nearest = np.full(u.shape, 9.0, np.float32)
    salt = float(coat.rng.uniform(0, 100))
    for across in (-1, 0, 1):
        for down in (-1, 0, 1):
            i, j = column + across, row + down
            spot_x = i + 0.5 + 0.36 * np.sin(i * 12.9898 + j * 78.233 + salt)
            spot_y = j + 0.5 + 0.36 * np.sin(i * 39.425 + j * 11.135 + salt * 2)
            nearest = np.minimum(nearest, np.hypot(u - spot_x, v - spot_y))
    broken = smooth_noise(coat.rng, u.shape, (u.shape[0] // 7, u.shape[1] // 7))
    flank = ramp(coat.y, 0.36, 0.42)
    ring = ramp(nearest, 0.16, 0.22) * (1 - ramp(nearest, 0.33, 0.40)) * ramp(broken, -0.75, -0.35)
    solid = 1 - ramp(nearest, 0.20, 0.27)
    dark = ring * flank + solid * (1 - flank)
    warm = mix(coat.colour, (172.0, 112.0, 56.0), (1 - ramp(nearest, 0.1, 0.3)) * flank * 0.7)
    return mix(warm, (34.0, 24.0, 16.0), (np.clip(dark, 0, 1) * 0.92).astype(np.float32))


def red_deer(rng: np.random.Generator, stride: float, head: float) -> Figure:
    coat, mane, pale = (142.0, 92.0, 54.0), (104.0, 70.0, 46.0), (196.0, 166.0, 124.0)
    hoof, antler = (34.0, 28.0, 24.0), (158.0, 128.0, 90.0)
    hx, hy = 0.92 - 0.10 * head, 0.46 + 1.06 * head
    bend = (0.70, 0.5 * (1.02 + hy) + 0.06)
    limbs = [
        *_legs((-0.6, 0.86), (0.42, 0.84), (0.105, 0.043, 0.030), coat, hoof, stride, 0.26, 0.12),
        Limb([(-0.84, 0.98, 0.045), (-0.89, 0.88, 0.03)], pale, 0.02),
        Limb([(-0.6, 0.98, 0.22), (-0.3, 0.94, 0.205), (0.1, 0.93, 0.215), (0.44, 0.98, 0.225)], coat, patterned=True),
        Limb([(0.48, 1.02, 0.18), (*bend, 0.135), (hx - 0.06, hy - 0.03, 0.092)], mane, 0.03, "y"),
        Limb([(hx - 0.08, hy + 0.09, 0.03), (hx - 0.2, hy + 0.15, 0.035), (hx - 0.25, hy + 0.15, 0.018)], coat, 0.1),
        Limb([(hx, hy, 0.088), (hx + 0.14, hy - 0.08, 0.058), (hx + 0.22, hy - 0.12, 0.046)], coat, 0.06),
        Limb([(hx + 0.25, hy - 0.13, 0.034), (hx + 0.27, hy - 0.135, 0.03)], hoof, 0.08),
    ]
    for depth, lean in ((-0.1, 0.10), (0.08, -0.02)):
        limbs += _antler(hx - 0.03, hy + 0.07, lean, antler, depth, float(rng.uniform(0.9, 1.15)))
    return Figure(limbs, (hx + 0.05, hy + 0.02, 0.017), pale, 0.007, 0.20, pattern=_pale_rump)


def _antler(x: float, y: float, lean: float, colour: Colour, depth: float, size: float) -> list[Limb]:
    beam = [(0.0, 0.0, 0.024), (-0.12, 0.2, 0.021), (-0.14, 0.42, 0.018), (-0.02, 0.62, 0.013), (0.05, 0.72, 0.007)]
    tines = [((-0.03, 0.06), (0.16, 0.16)), ((-0.12, 0.22), (0.06, 0.33)), ((-0.12, 0.46), (-0.26, 0.66))]
    at = [(x + (dx + lean * dy) * size, y + dy * size, r) for dx, dy, r in beam]
    limbs = [Limb(at, colour, depth, "y")]
    for (ax, ay), (bx, by) in tines:
        root, tip = (x + (ax + lean * ay) * size, y + ay * size), (x + (bx + lean * by) * size, y + by * size)
        limbs.append(Limb([(*root, 0.016), (*tip, 0.006)], colour, depth, "y"))
    return limbs


def _pale_rump(coat: Coat) -> Array:
    patch = (1 - ramp(np.hypot((coat.x + 0.84) / 0.20, (coat.y - 0.96) / 0.26), 0.75, 1.0)) * 0.8
    ridge = ramp(coat.y, 1.10, 1.18) * 0.35
    return mix(mix(coat.colour, (84.0, 54.0, 34.0), ridge), (222.0, 196.0, 156.0), patch)


def wild_boar(rng: np.random.Generator, stride: float, head: float) -> Figure:
    coat, dark = (92.0, 78.0, 66.0), (40.0, 34.0, 30.0)
    down = 0.14 * (1 - head)
    limbs = [
        *_legs((-0.46, 0.44), (0.34, 0.42), (0.115, 0.06, 0.040), dark, (24.0, 20.0, 18.0), stride, 0.16, 0.05),
        Limb([(-0.72, 0.60, 0.02), (-0.80, 0.48, 0.014), (-0.81, 0.36, 0.02)], dark),
        Limb([(-0.48, 0.56, 0.24), (-0.15, 0.58, 0.265), (0.15, 0.62, 0.285), (0.36, 0.62, 0.28)], coat),
        Limb([(0.5, 0.57 - down * 0.4, 0.23), (0.72, 0.47 - down, 0.155)], coat, 0.03),
        Limb([(0.76, 0.45 - down, 0.135), (0.95, 0.35 - down, 0.082), (1.05, 0.30 - down, 0.068)], coat, 0.03),
        Limb([(1.10, 0.29 - down, 0.056), (1.115, 0.285 - down, 0.054)], (112.0, 86.0, 80.0), 0.04),
        Limb([(0.62, 0.66 - down * 0.6, 0.06), (0.55, 0.80 - down * 0.6, 0.03)], dark, 0.16, "y"),
    ]
    tusk = (0.97, 0.27 - down, 1.0, 0.35 - down, 0.018, (226.0, 216.0, 190.0))
    return Figure(
        limbs,
        (0.80, 0.515 - down, 0.014),
        (66.0, 56.0, 48.0),
        0.014,
        0.42,
        (Strokes(_bristles(rng, down)), Strokes([tusk])),
    )


def _bristles(rng: np.random.Generator, down: float) -> list[tuple[float, float, float, float, float, Colour]]:
    """The mane along the back, and coarse hair on the flanks."""
    lines = []
    for x in np.sort(rng.uniform(-0.6, 0.62, 240)):
        top = 0.84 - 0.16 * abs(x - 0.2) ** 1.5 - (0.2 + down) * max(0.0, x - 0.36)
        height = rng.uniform(0.03, 0.10) * (1.2 if x > -0.1 else 0.6)
        grey = float(rng.uniform(24, 74))
        lines.append((x, top - 0.02, x - rng.uniform(0.02, 0.07), top + height, 0.007, (grey, grey * 0.9, grey * 0.8)))
    for _ in range(260):
        x, y = rng.uniform(-0.62, 0.5), rng.uniform(0.36, 0.76)
        grey = float(rng.uniform(50, 128))
        lines.append((x, y, x - 0.06, y - 0.03, 0.005, (grey, grey * 0.88, grey * 0.76)))
    return lines


def crane(_rng: np.random.Generator, stride: float, head: float) -> Figure:
    grey, dark, white = (168.0, 172.0, 178.0), (46.0, 46.0, 50.0), (222.0, 222.0, 220.0)
    bill, red = (150.0, 140.0, 104.0), (186.0, 40.0, 34.0)
    hx, hy = 0.46 - 0.06 * head, 0.42 + 0.92 * head
    turn = (0.30 + 0.08 * (1 - head), 0.5 * (0.98 + hy))
    limbs = []
    for side, depth in ((np.pi, FAR_SIDE), (0.0, 0.0)):
        swing = float(np.sin(stride + side)) * 0.13
        lift = max(0.0, float(np.cos(stride + side))) * 0.06
        knee = (-0.02 + swing * 0.3, 0.36 + lift * 0.5)
        foot = (swing + 0.02, 0.03 + lift)
        limbs.append(Limb([(-0.03, 0.66, 0.045), (*knee, 0.021), (*foot, 0.016)], dark, depth, "y"))
        for toe_x, toe_y in ((0.10, -0.012), (0.07, 0.0), (-0.05, -0.01)):
            limbs.append(Limb([(*foot, 0.013), (foot[0] + toe_x, foot[1] + toe_y, 0.009)], dark, depth, "y"))
    limbs += [
        Limb([(-0.28, 0.76, 0.12), (-0.44, 0.64, 0.09), (-0.56, 0.50, 0.045)], (118.0, 120.0, 126.0), 0.0, "y", True),
        Limb([(-0.24, 0.80, 0.155), (0.0, 0.80, 0.165), (0.14, 0.85, 0.12)], grey, 0.02, patterned=True),
        Limb([(0.16, 0.90, 0.10), (*turn, 0.046), (hx - 0.02, hy - 0.03, 0.036)], dark, 0.03, "y"),
        Limb([(turn[0] - 0.02, turn[1] + 0.03, 0.028), (hx - 0.045, hy - 0.01, 0.028)], white, 0.06, "y"),
        Limb([(hx, hy, 0.048), (hx + 0.02, hy - 0.002, 0.042)], dark, 0.04),
        Limb([(hx - 0.005, hy + 0.036, 0.02), (hx - 0.02, hy + 0.034, 0.018)], red, 0.09),
        Limb([(hx + 0.05, hy - 0.005, 0.019), (hx + 0.2, hy - 0.035, 0.006)], bill, 0.05),
    ]
    return Figure(limbs, (hx + 0.018, hy + 0.008, 0.010), (120.0, 122.0, 128.0), 0.006, 0.12, pattern=_feathers)


def _feathers(coat: Coat) -> Array:
    """Scallops: each feather is dark at its tip."""
    along, across = coat.x / 0.09 + coat.y / 0.2, coat.y / 0.055
    row = np.floor(across)
    place = along + 0.5 * (row % 2)
    tip = np.hypot((place - np.round(place)) * 1.7, across - row).astype(np.float32)
    return mix(coat.colour, (96.0, 98.0, 104.0), ramp(tip, 0.72, 1.05) * 0.5)


def porcupine(rng: np.random.Generator, stride: float, head: float) -> Figure:
    dark, face = (50.0, 42.0, 36.0), (78.0, 66.0, 56.0)
    up = 0.06 * head
    limbs = [
        *_legs((-0.24, 0.2), (0.22, 0.19), (0.085, 0.055, 0.040), dark, (34.0, 28.0, 24.0), stride, 0.09, 0.02),
        Limb([(-0.28, 0.31, 0.17), (-0.02, 0.33, 0.205), (0.2, 0.29, 0.165)], dark, 0.0),
        Limb([(0.32, 0.25 + up, 0.12), (0.44, 0.20 + up, 0.085), (0.50, 0.17 + up, 0.062)], face, 0.04),
        Limb([(0.54, 0.165 + up, 0.03), (0.55, 0.16 + up, 0.028)], (30.0, 24.0, 22.0), 0.08),
        Limb([(0.36, 0.30 + up, 0.036), (0.355, 0.31 + up, 0.03)], (60.0, 48.0, 42.0), 0.14),
    ]
    return Figure(
        limbs, (0.445, 0.235 + up, 0.012), dark, 0.012, 0.4, (Strokes(_crest(rng, up)), Strokes(_quills(rng)))
    )


def _quills(rng: np.random.Generator) -> list[tuple[float, float, float, float, float, Colour]]:
    """Banded black and white, from the shoulders to the tail, longer and flatter towards the tail."""
    ivory, black = (232.0, 224.0, 204.0), (30.0, 24.0, 20.0)
    lines = []
    for along in np.sort(rng.uniform(0, 1, 420))[::-1]:
        root_x = 0.22 - 0.62 * along
        root_y = 0.30 + 0.16 * np.sin(np.pi * (0.25 + 0.6 * (1 - along))) * rng.uniform(0.1, 1.1)
        angle = np.pi * (0.62 + 0.32 * along) + rng.normal(0, 0.11)
        length = rng.uniform(0.16, 0.30) * (0.8 + 0.7 * along)
        bands = [black, ivory, black, ivory, black, ivory][-(3 + int(rng.integers(3))) :]
        for number, colour in enumerate(bands):
            a, b = length * number / len(bands), length * (number + 1) / len(bands)
            ends = (root_x + a * np.cos(angle), root_y + a * np.sin(angle))
            tips = (root_x + b * np.cos(angle), root_y + b * np.sin(angle))
            shade = float(rng.uniform(0.8, 1.0))
            tint = (colour[0] * shade, colour[1] * shade, colour[2] * shade)
            lines.append((*ends, *tips, 0.008, tint))
    return lines


def _crest(rng: np.random.Generator, up: float) -> list[tuple[float, float, float, float, float, Colour]]:
    lines = []
    for _ in range(70):
        x, y = rng.uniform(0.2, 0.38), rng.uniform(0.34, 0.38) + up * 0.5
        angle, length = np.pi * rng.uniform(0.62, 0.85), rng.uniform(0.1, 0.24)
        grey = float(rng.uniform(60, 205))
        lines.append(
            (x, y, x + length * np.cos(angle), y + length * np.sin(angle), 0.005, (grey, grey * 0.93, grey * 0.84))
        )
    return lines


FIGURES: dict[str, Callable[[np.random.Generator, float, float], Figure]] = {
    "leopard": leopard,
    "red deer": red_deer,
    "wild boar": wild_boar,
    "crane": crane,
    "porcupine": porcupine,
}
"""Adding an animal is one row here and its function above."""
