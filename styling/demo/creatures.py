"""Subjects that live: a fish, a bird, a butterfly, a shell."""

from __future__ import annotations

import numpy as np

from styling.demo.outlines import Motif, Part, Points, Random, ring, smooth


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
    eye = Part(turn(ring(rng, 0.055, 0.055, at=(-0.62, -0.07))), 0.5, 0.2)
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
    eye = Part(turn(ring(rng, 0.045, 0.045, at=(-0.4, -0.4))), 0.5, 0.15)
    legs = [turn([(x, 0.42), (x - 0.03, 0.8), (x - 0.14, 0.84)]) for x in (-0.12, 0.1)]
    feathers = [turn([(0.05 + 0.13 * k, 0.12 + 0.04 * k), (0.3 + 0.13 * k, 0.22 + 0.05 * k)]) for k in range(3)]
    return Motif([tail, beak, body, wing, eye], [*legs, *feathers], ground=0.95)


def butterfly(rng: Random) -> Motif:
    parts = []
    top, low = rng.uniform(0.6, 0.8), rng.uniform(0.45, 0.6)
    for side in (-1, 1):
        upper = smooth([(side * 0.05, -0.1), (side * 0.4, -top), (side * 0.95, -top * 0.85), (side * 0.7, -0.05)])
        lower = smooth([(side * 0.05, 0), (side * 0.65, 0.05), (side * 0.7, low), (side * 0.3, low + 0.1)])
        spot = ring(rng, 0.13, 0.11, at=(side * 0.58, -top * 0.55))
        parts += [Part(lower, 0.4, 0.7), Part(upper, 0.4, 0.9), Part(spot, 0.4, 0.45)]
    body = Part(ring(rng, 0.09, 0.45, at=(0, 0.05), wobble=0), 0.9, 0.45)
    feelers = [smooth([(0, -0.35), (s * 0.12, -0.6), (s * 0.3, -0.75)], closed=False, samples=12) for s in (-1, 1)]
    return Motif([*parts, body], feelers, ground=None)


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
