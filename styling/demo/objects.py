"""Subjects for reference pictures: fruit, leaves, fish, birds, houses, hills, … and nothing that the shop sells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from styling.demo.sketch import Motif, Part, Points, smooth

Random = np.random.Generator


def _ring(
    rng: Random, width: float, height: float, *, at: tuple[float, float] = (0, 0), wobble: float = 0.03
) -> Points:
    around = np.linspace(0, 2 * np.pi, 9)[:-1]
    radius = 1 + rng.normal(0, wobble, size=8)
    return smooth(
        [(at[0] + width * r * np.cos(a), at[1] + height * r * np.sin(a)) for a, r in zip(around, radius, strict=True)]
    )


def _leaf(start: tuple[float, float], tip: tuple[float, float], width: float) -> tuple[Part, Points]:
    (x, y), (u, v) = start, tip
    dx, dy = u - x, v - y
    left = (x + 0.45 * dx - width * dy, y + 0.45 * dy + width * dx)
    right = (x + 0.45 * dx + width * dy, y + 0.45 * dy - width * dx)
    outline = [
        *smooth([start, left, tip], closed=False, samples=30),
        *smooth([tip, right, start], closed=False, samples=30),
    ]
    return Part(outline, 0.5, 0.8), [start, (x + 0.5 * dx, y + 0.52 * dy), (x + 0.85 * dx, y + 0.85 * dy)]


def apple(rng: Random) -> Motif:
    wide, tall = rng.uniform(0.62, 0.78), rng.uniform(0.58, 0.7)
    body = smooth(
        [
            (0, -tall * 0.72),
            (wide * 0.55, -tall),
            (wide, -tall * 0.3),
            (wide * 0.72, tall * 0.7),
            (0.1, tall * 0.92),
            (-wide * 0.72, tall * 0.7),
            (-wide, -tall * 0.3),
            (-wide * 0.55, -tall),
        ]
    )
    leaf, vein = _leaf((0.05, -tall * 0.9), (rng.uniform(0.35, 0.6), -tall - rng.uniform(0.2, 0.4)), 0.3)
    stem = smooth([(0, -tall * 0.7), (0.04, -tall), (rng.uniform(-0.1, 0.1), -tall - 0.25)], closed=False, samples=12)
    return Motif([Part(body), leaf], [stem, vein])


def pear(rng: Random) -> Motif:
    wide, lean = rng.uniform(0.5, 0.6), rng.uniform(-0.12, 0.12)
    body = smooth(
        [
            (lean, -0.72),
            (lean + 0.22, -0.55),
            (0.3, -0.1),
            (wide, 0.35),
            (wide * 0.6, 0.74),
            (0, 0.78),
            (-wide * 0.6, 0.74),
            (-wide, 0.35),
            (-0.3, -0.1),
            (lean - 0.22, -0.55),
        ]
    )
    leaf, vein = _leaf((lean, -0.78), (lean + rng.choice([-1, 1]) * 0.45, -0.95), 0.25)
    return Motif([Part(body), leaf], [[(lean, -0.7), (lean + 0.03, -1.0)], vein])


def lemon(rng: Random) -> Motif:
    tilt = rng.uniform(-0.3, 0.3)
    outline = [
        (-0.95, 0),
        (-0.7, -0.2),
        (-0.1, -0.5),
        (0.6, -0.28),
        (0.95, -0.02),
        (0.65, 0.25),
        (0, 0.5),
        (-0.7, 0.22),
    ]
    turned = [(x * np.cos(tilt) - y * np.sin(tilt), x * np.sin(tilt) + y * np.cos(tilt) + 0.15) for x, y in outline]
    leaf, vein = _leaf((-0.5, -0.1), (-0.75 + rng.normal(0, 0.1), -0.75), 0.28)
    pores = [[(x, y), (x + 0.03, y + 0.01)] for x, y in rng.uniform(-0.3, 0.4, size=(7, 2))]
    return Motif([leaf, Part(smooth(turned))], [vein, *pores])


def cherries(rng: Random) -> Motif:
    top = (rng.uniform(-0.1, 0.2), -0.9)
    spots = [(-0.42, 0.35 + rng.normal(0, 0.06)), (0.42, 0.42 + rng.normal(0, 0.06))]
    parts = [Part(_ring(rng, 0.38, 0.37, at=spot, wobble=0.02)) for spot in spots]
    leaf, vein = _leaf(top, (top[0] + 0.65, top[1] + 0.25), 0.26)
    stems = [smooth([top, (x * 0.7, -0.3), (x, y - 0.3)], closed=False, samples=20) for x, y in spots]
    return Motif([*parts, leaf], [*stems, vein])


def pumpkin(rng: Random) -> Motif:
    ribs, tall = int(rng.integers(2, 4)), rng.uniform(0.5, 0.62)
    parts = []
    for rib in range(ribs, -1, -1):
        for side in (-1, 1) if rib else (1,):
            parts.append(
                Part(_ring(rng, 0.36, tall * (1 - 0.05 * rib), at=(side * rib * 0.72 / ribs, 0.2), wobble=0.015))
            )
    stem = Part(smooth([(-0.1, -0.3), (-0.08, -0.65), (0.12, -0.75), (0.2, -0.65), (0.09, -0.3)]), 0.7, 0.6)
    return Motif([stem, *parts])


def mushroom(rng: Random) -> Motif:
    wide, lift = rng.uniform(0.65, 0.85), rng.uniform(-0.1, 0.1)
    stem = Part(smooth([(-0.2, -0.1), (-0.17, 0.4), (-0.28, 0.82), (0, 0.88), (0.28, 0.82), (0.17, 0.4), (0.2, -0.1)]))
    cap = smooth(
        [(-wide, lift), (-wide * 0.7, -0.5), (0, -0.78), (wide * 0.7, -0.5), (wide, lift), (0.3, 0.12), (-0.3, 0.12)]
    )
    spots = [
        Part(_ring(rng, r, r * 0.8, at=(x, y)), 0.4, 0.98)
        for x, y, r in ((-0.35, -0.3, 0.11), (0.1, -0.5, 0.13), (0.42, -0.2, 0.1))
    ]
    return Motif([stem, Part(cap, 1, 0.8), *spots[: int(rng.integers(0, 4))]])


def leaf_spray(rng: Random) -> Motif:
    bend = rng.uniform(-0.35, 0.35)
    stem = smooth([(0, 0.95), (bend * 0.3, 0.2), (bend, -0.6)], closed=False, samples=40)
    parts, lines = [], [stem]
    for place in range(6, 40, 7):
        for side in (-1, 1):
            x, y = stem[place]
            reach = 0.62 - 0.008 * place + rng.normal(0, 0.04)
            leaf, vein = _leaf((x, y), (x + side * reach, y - reach * rng.uniform(0.35, 0.7)), 0.2)
            parts.append(leaf)
            lines.append(vein)
    tip, vein = _leaf(stem[-2], (bend * 1.2, -1.0), 0.22)
    return Motif([*parts, tip], [*lines, vein], ground=None)


def fish(rng: Random) -> Motif:
    fat, way = rng.uniform(0.32, 0.44), rng.choice([-1, 1])

    def turn(points: Points) -> Points:
        return [(way * x, y + 0.05) for x, y in points]

    tail = Part(turn(smooth([(0.5, 0), (0.95, -0.42), (0.85, 0), (0.95, 0.42)])), 0.5, 0.75)
    body = Part(
        turn(
            smooth(
                [(-0.9, 0.02), (-0.45, -fat), (0.15, -fat * 0.9), (0.65, -0.06), (0.65, 0.08), (0.15, fat), (-0.5, fat)]
            )
        )
    )
    fin = Part(turn(smooth([(-0.3, -fat * 0.9), (0.05, -fat - 0.3), (0.3, -fat * 0.75)])), 0.5, 0.7)
    eye = Part(turn(_ring(rng, 0.055, 0.055, at=(-0.62, -0.07))), 0.5, 0.2)
    gill = turn(smooth([(-0.42, -fat * 0.65), (-0.32, 0), (-0.42, fat * 0.65)], closed=False, samples=16))
    scales = [
        turn(smooth([(x, y - 0.09), (x + 0.07, y), (x, y + 0.09)], closed=False, samples=8))
        for x in (-0.12, 0.1, 0.32)
        for y in ((-0.13, 0.1) if x < 0.3 else (0.0,))
    ]
    return Motif([fin, tail, body, eye], [gill, *scales], ground=None if rng.random() < 0.5 else 0.9)


def bird(rng: Random) -> Motif:
    way, lift = rng.choice([-1, 1]), rng.uniform(-0.08, 0.08)

    def turn(points: Points) -> Points:
        return [(way * x, y) for x, y in points]

    body = Part(
        turn(
            smooth(
                [
                    (-0.58, -0.42),
                    (-0.3, -0.62),
                    (0.0, -0.3),
                    (0.45, 0.05),
                    (0.75, 0.4),
                    (0.1, 0.5),
                    (-0.4, 0.3),
                    (-0.55, -0.1),
                ]
            )
        )
    )
    tail = Part(turn(smooth([(0.5, 0.15), (1.0, 0.5 + lift), (0.95, 0.62 + lift), (0.45, 0.42)])), 0.5, 0.7)
    wing = Part(turn(smooth([(-0.18, -0.1), (0.25, 0.0), (0.72, 0.32 + lift), (0.2, 0.36), (-0.12, 0.22)])), 0.7, 0.65)
    beak = Part(turn([(-0.56, -0.42), (-0.82, -0.32), (-0.54, -0.26)]), 0.4, 0.6)
    eye = Part(turn(_ring(rng, 0.045, 0.045, at=(-0.4, -0.4))), 0.5, 0.15)
    legs = [turn([(x, 0.42), (x - 0.03, 0.8), (x - 0.14, 0.84)]) for x in (-0.12, 0.1)]
    feathers = [turn([(0.05 + 0.13 * k, 0.12 + 0.04 * k), (0.3 + 0.13 * k, 0.22 + 0.05 * k)]) for k in range(3)]
    return Motif([tail, beak, body, wing, eye], [*legs, *feathers], ground=0.95)


def house(rng: Random) -> Motif:
    wide, tall, peak = rng.uniform(0.5, 0.68), rng.uniform(0.0, 0.15), rng.uniform(-0.8, -0.6)
    front = Part([(-wide, tall - 0.1), (wide, tall - 0.1), (wide, 0.78), (-wide, 0.78)], 0.25, 0.95)
    roof = Part([(-wide - 0.16, tall), (0, peak), (wide + 0.16, tall)], 0.5, 0.65)
    chimney = Part([(wide * 0.4, -0.62), (wide * 0.65, -0.62), (wide * 0.65, 0), (wide * 0.4, 0)], 0.3, 0.7)
    door = Part([(-0.12, 0.3), (0.14, 0.3), (0.14, 0.78), (-0.12, 0.78)], 0.3, 0.4)
    windows = [
        Part([(x, 0.2), (x + 0.2, 0.2), (x + 0.2, 0.42), (x, 0.42)], 0.3, 0.5) for x in (-wide + 0.12, wide - 0.32)
    ]
    tiles = [
        [(-wide * s, tall - 0.12 - 0.16 * k), (wide * s, tall - 0.12 - 0.16 * k)]
        for k, s in enumerate((0.85, 0.6, 0.35))
    ]
    return Motif([chimney, front, roof, door, *windows], tiles, ground=1.05)


def mountain(rng: Random) -> Motif:
    parts = []
    for x, top, half in ((-0.45, -0.35, 0.6), (0.5, -0.2, 0.55), (0.05 + rng.normal(0, 0.1), -0.85, 0.75)):
        left = [(x - half, 0.72), (x - half * 0.55, top * 0.25 + 0.25), (x - half * 0.2, top * 0.75)]
        right = [(x + half * 0.18, top * 0.7), (x + half * 0.5, top * 0.2 + 0.25), (x + half, 0.72)]
        rough = [(u + rng.normal(0, 0.025), v + rng.normal(0, 0.025)) for u, v in (*left, (x, top), *right)]
        parts.append(Part(rough, 0.8, 0.85))
    x = rng.uniform(-0.75, 0.75)
    sun = Part(_ring(rng, 0.16, 0.16, at=(x, -0.75), wobble=0), 0.3, 0.98)
    return Motif([sun, *parts], [[(-0.05, -0.5), (0.08, -0.2), (-0.02, 0.15)], [(0.3, -0.1), (0.4, 0.25)]], ground=1.0)


def tree(rng: Random) -> Motif:
    trunk = Part(smooth([(-0.14, 0.9), (-0.08, 0.3), (-0.1, -0.2), (0.1, -0.2), (0.09, 0.3), (0.17, 0.9)]), 0.8, 0.6)
    clouds = [(-0.42, -0.15, 0.36), (0.42, -0.12, 0.36), (0.0, -0.5, 0.46), (0, -0.1, 0.36)]
    crown = [
        Part(_ring(rng, r, r * 0.88, at=(x + rng.normal(0, 0.05), y), wobble=0.06), 0.9, 0.8) for x, y, r in clouds
    ]
    return Motif([trunk, *crown], ground=1.0)


def boat(rng: Random) -> Motif:
    hull = Part(smooth([(-0.8, 0.4), (0.0, 0.46), (0.85, 0.36), (0.55, 0.72), (-0.5, 0.74)]), 0.6, 0.7)
    lean = rng.uniform(-0.06, 0.06)
    main = Part(
        [(0.02 + lean, -0.95), *smooth([(0.02, 0.3), (0.45, 0.3), (0.7, 0.22)], closed=False, samples=12)], 0.5, 0.95
    )
    jib = Part([(-0.06 + lean, -0.75), (-0.06, 0.3), (-0.62, 0.26)], 0.5, 0.85)
    swell = [
        smooth([(x, 0.84), (x + 0.12, 0.8), (x + 0.25, 0.85)], closed=False, samples=12) for x in (-0.9, -0.2, 0.5)
    ]
    return Motif([jib, main, hull], [[(lean, -1.0), (0, 0.42)], *swell], ground=0.85)


def flower(rng: Random) -> Motif:
    petals, size = int(rng.integers(5, 8)), rng.uniform(0.3, 0.36)
    turn, centre = rng.uniform(0, 2), (rng.normal(0, 0.05), -0.3)
    parts = [Part(smooth([(-0.03, 1.0), (-0.04, 0.2), (0.04, 0.2), (0.03, 1.0)]), 0.5, 0.6)]
    leaf, vein = _leaf((0, 0.8), (rng.choice([-1, 1]) * 0.6, 0.35), 0.24)
    parts.append(leaf)
    for petal in range(petals):
        around = turn + petal * 2 * np.pi / petals
        spot = (centre[0] + 0.36 * np.cos(around), centre[1] + 0.36 * np.sin(around))
        parts.append(Part(_ring(rng, size * 0.8, size * 0.8, at=spot, wobble=0.07), 0.6, 0.92))
    return Motif([*parts, Part(_ring(rng, 0.18, 0.18, at=centre), 0.8, 0.55)], [vein], ground=None)


def butterfly(rng: Random) -> Motif:
    parts = []
    top, low = rng.uniform(0.6, 0.8), rng.uniform(0.45, 0.6)
    for side in (-1, 1):
        upper = smooth([(side * 0.05, -0.1), (side * 0.4, -top), (side * 0.95, -top * 0.85), (side * 0.7, -0.05)])
        lower = smooth([(side * 0.05, 0), (side * 0.65, 0.05), (side * 0.7, low), (side * 0.3, low + 0.1)])
        spot = _ring(rng, 0.13, 0.11, at=(side * 0.58, -top * 0.55))
        parts += [Part(lower, 0.4, 0.7), Part(upper, 0.4, 0.9), Part(spot, 0.4, 0.45)]
    body = Part(_ring(rng, 0.09, 0.45, at=(0, 0.05), wobble=0), 0.9, 0.45)
    feelers = [smooth([(0, -0.35), (s * 0.12, -0.6), (s * 0.3, -0.75)], closed=False, samples=12) for s in (-1, 1)]
    return Motif([*parts, body], feelers, ground=None)


def cactus(rng: Random) -> Motif:
    def arm(x: float, low: float, top: float, half: float) -> Part:
        return Part(
            smooth(
                [(x - half, low), (x - half, (low + top) / 2), (x, top), (x + half, (low + top) / 2), (x + half, low)]
            ),
            1,
            0.8,
        )

    left, right = rng.uniform(-0.5, -0.2), rng.uniform(-0.4, 0.0)
    parts = [arm(-0.48, 0.3, left, 0.15), arm(0.5, 0.25, right, 0.14)]
    joints = [
        Part(smooth([(0, y), (s * 0.6, y - 0.12), (s * 0.58, y + 0.12), (0, y + 0.16)]), 1, 0.75)
        for s, y in ((-1, 0.28), (1, 0.22))
    ]
    lines = [[(x, -0.6 + abs(x)), (x, 0.75)] for x in (-0.1, 0.02, 0.13)]
    return Motif([*joints, *parts, arm(0.02, 0.85, -0.95, 0.26)], lines, ground=1.0)


def shell(rng: Random) -> Motif:
    tall, wide = rng.uniform(0.75, 0.9), rng.uniform(0.78, 0.92)
    fan = np.linspace(np.pi * 1.08, np.pi * 1.92, 9)
    rim = [(wide * np.cos(a), 0.35 + (tall + 0.35) * np.sin(a)) for a in fan]
    outline = smooth([(-0.12, 0.75), *rim, (0.12, 0.75)])
    ribs = [
        smooth([(0.02 * k, 0.7), (x * 0.6, y * 0.35 + 0.2), (x * 0.95, y * 0.95)], closed=False, samples=20)
        for k, (x, y) in enumerate(rim[1:-1])
    ]
    return Motif([Part(outline)], ribs, ground=0.9)


SUBJECTS: tuple[Callable[[Random], Motif], ...] = (
    apple, fish, house, leaf_spray, pear, bird, mountain, lemon, mushroom, tree, cherries, boat, flower, pumpkin, butterfly,
    cactus, shell,
)  # fmt: skip
