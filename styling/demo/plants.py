"""Subjects that grow: fruit, leaves, a flower, a tree."""

from __future__ import annotations

import numpy as np

from styling.demo.outlines import Motif, Part, Points, Random, leaf_with_vein, ring, smooth


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
    leaf, vein = leaf_with_vein((0.05, -tall * 0.9), (rng.uniform(0.35, 0.6), -tall - rng.uniform(0.2, 0.4)), 0.3)
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
    leaf, vein = leaf_with_vein((lean, -0.78), (lean + rng.choice([-1, 1]) * 0.45, -0.95), 0.25)
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
    leaf, vein = leaf_with_vein((-0.5, -0.1), (-0.75 + rng.normal(0, 0.1), -0.75), 0.28)
    pores = [[(x, y), (x + 0.03, y + 0.01)] for x, y in rng.uniform(-0.3, 0.4, size=(7, 2))]
    return Motif([leaf, Part(smooth(turned))], [vein, *pores])


def cherries(rng: Random) -> Motif:
    top = (rng.uniform(-0.1, 0.2), -0.9)
    spots = [(-0.42, 0.35 + rng.normal(0, 0.06)), (0.42, 0.42 + rng.normal(0, 0.06))]
    parts = [Part(ring(rng, 0.38, 0.37, at=spot, wobble=0.02)) for spot in spots]
    leaf, vein = leaf_with_vein(top, (top[0] + 0.65, top[1] + 0.25), 0.26)
    stems = [smooth([top, (x * 0.7, -0.3), (x, y - 0.3)], closed=False, samples=20) for x, y in spots]
    return Motif([*parts, leaf], [*stems, vein])


def pumpkin(rng: Random) -> Motif:
    ribs, tall = int(rng.integers(2, 4)), rng.uniform(0.5, 0.62)
    parts = []
    for rib in range(ribs, -1, -1):
        for side in (-1, 1) if rib else (1,):
            parts.append(
                Part(ring(rng, 0.36, tall * (1 - 0.05 * rib), at=(side * rib * 0.72 / ribs, 0.2), wobble=0.015))
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
        Part(ring(rng, r, r * 0.8, at=(x, y)), 0.4, 0.98)
        for x, y, r in ((-0.35, -0.3, 0.11), (0.1, -0.5, 0.13), (0.42, -0.2, 0.1))
    ]
    return Motif([stem, Part(cap, 1, 0.8), *spots[: int(rng.integers(0, 4))]])


def leaf_spray(rng: Random) -> Motif:
    bend = rng.uniform(-0.35, 0.35)
    stem = smooth([(0, 0.95), (bend * 0.3, 0.2), (bend, -0.6)], closed=False, samples=40)
    parts: list[Part] = []
    lines: list[Points] = [stem]
    for place in range(6, 40, 7):
        for side in (-1, 1):
            x, y = stem[place]
            reach = 0.62 - 0.008 * place + rng.normal(0, 0.04)
            leaf, vein = leaf_with_vein((x, y), (x + side * reach, y - reach * rng.uniform(0.35, 0.7)), 0.2)
            parts.append(leaf)
            lines.append(vein)
    tip, vein = leaf_with_vein(stem[-2], (bend * 1.2, -1.0), 0.22)
    return Motif([*parts, tip], [*lines, vein], ground=None)


def flower(rng: Random) -> Motif:
    petals, size = int(rng.integers(5, 8)), rng.uniform(0.3, 0.36)
    turn, centre = rng.uniform(0, 2), (rng.normal(0, 0.05), -0.3)
    parts = [Part(smooth([(-0.03, 1.0), (-0.04, 0.2), (0.04, 0.2), (0.03, 1.0)]), 0.5, 0.6)]
    leaf, vein = leaf_with_vein((0, 0.8), (rng.choice([-1, 1]) * 0.6, 0.35), 0.24)
    parts.append(leaf)
    for petal in range(petals):
        around = turn + petal * 2 * np.pi / petals
        spot = (centre[0] + 0.36 * np.cos(around), centre[1] + 0.36 * np.sin(around))
        parts.append(Part(ring(rng, size * 0.8, size * 0.8, at=spot, wobble=0.07), 0.6, 0.92))
    return Motif([*parts, Part(ring(rng, 0.18, 0.18, at=centre), 0.8, 0.55)], [vein], ground=None)


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


def tree(rng: Random) -> Motif:
    trunk = Part(smooth([(-0.14, 0.9), (-0.08, 0.3), (-0.1, -0.2), (0.1, -0.2), (0.09, 0.3), (0.17, 0.9)]), 0.8, 0.6)
    clouds = [(-0.42, -0.15, 0.36), (0.42, -0.12, 0.36), (0.0, -0.5, 0.46), (0, -0.1, 0.36)]
    crown = [Part(ring(rng, r, r * 0.88, at=(x + rng.normal(0, 0.05), y), wobble=0.06), 0.9, 0.8) for x, y, r in clouds]
    return Motif([trunk, *crown], ground=1.0)
