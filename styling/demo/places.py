"""Subjects to look at from afar: a house, mountains, a boat."""

from __future__ import annotations

from styling.demo.outlines import Motif, Part, Random, ring, smooth


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
    sun = Part(ring(rng, 0.16, 0.16, at=(x, -0.75), wobble=0), 0.3, 0.98)
    return Motif([sun, *parts], [[(-0.05, -0.5), (0.08, -0.2), (-0.02, 0.15)], [(0.3, -0.1), (0.4, 0.25)]], ground=1.0)


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
