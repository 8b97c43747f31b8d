"""Brush decoration: motifs painted with strokes that swell and taper, as coverage maps in [0, 1].

A wrapped map (HEIGHT×WIDTH) goes once around a pot; a flat one (FLAT×FLAT) lies in a plate.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from catalog.demo.colour import Floats
from catalog.demo.curves import Points, b_spline

HEIGHT, WIDTH, FLAT = 512, 1280, 640

Motif = Callable[[int], Floats]


class Brush:
    """A round brush on a sheet; what leaves at the right comes back at the left."""

    def __init__(self, width: int, height: int, *, wraps: bool) -> None:
        self._sheet = Image.new("L", (width, height), 0)
        self._pen = ImageDraw.Draw(self._sheet)
        self._shifts = (-width, 0, width) if wraps else (0,)

    def stroke(self, control: Points, weight: float, *, belly: float = 0.4, ink: int = 255) -> None:
        """Along the spline of ``control``; thickest (``weight`` pixels) at the share ``belly`` of the way."""
        length = np.hypot(*np.diff(np.asarray(control), axis=0).T).sum()
        spots = b_spline(control, samples=int(24 + length / max(weight * 0.16, 0.8)))
        share = np.linspace(0, 1, len(spots))
        swell = np.where(share < belly, share / belly, (1 - share) / (1 - belly))
        for (x, y), radius in zip(spots, weight * (0.12 + 0.88 * swell**0.6) / 2, strict=True):
            for shift in self._shifts:
                self._pen.ellipse([x + shift - radius, y - radius, x + shift + radius, y + radius], fill=ink)

    def dab(self, x: float, y: float, radius: float, *, ink: int = 255) -> None:
        """One touch of the tip."""
        for shift in self._shifts:
            self._pen.ellipse([x + shift - radius, y - radius, x + shift + radius, y + radius], fill=ink)

    def sheet(self) -> Floats:
        """What was painted."""
        return np.asarray(self._sheet, dtype=np.float32) / 255


@lru_cache(maxsize=8)
def grasses(seed: int) -> Floats:
    """Tall grass bending in the wind, from the foot to the shoulder."""
    rng, brush = np.random.default_rng(seed), Brush(WIDTH, HEIGHT, wraps=True)
    for root in np.arange(0, WIDTH, 46):
        foot = root + rng.uniform(-20, 20)
        for _ in range(3):
            lean, tall = rng.normal(30, 45), rng.uniform(140, 390)
            bend = [(foot, 505), (foot + lean * 0.1, 505 - tall * 0.5), (foot + lean * 0.6, 505 - tall * 0.9)]
            tip = (foot + lean * 1.8, 505 - tall)
            brush.stroke([*bend, tip], rng.uniform(7, 13), belly=0.25, ink=int(rng.uniform(165, 255)))
    return brush.sheet()


@lru_cache(maxsize=8)
def blossom(seed: int) -> Floats:
    """Plum branches with five-petalled flowers."""
    rng, brush = np.random.default_rng(seed), Brush(WIDTH, HEIGHT, wraps=True)
    for start in (60, 480, 900):
        x, y = start + rng.uniform(-30, 30), 470.0
        joints = [(x, y)]
        for _ in range(5):
            x, y = x + rng.uniform(15, 75), y - rng.uniform(45, 90)
            joints.append((x, y))
        brush.stroke(joints, 15, belly=0.1, ink=235)
        for x, y in joints[1:]:
            way = rng.choice([-1, 1])
            tip = (x + way * rng.uniform(50, 95), y - rng.uniform(20, 80))
            brush.stroke([(x, y), ((x + tip[0]) / 2, y - 12), tip], 7, belly=0.15, ink=220)
            for spot in (tip, (x + rng.uniform(-12, 12), y)):
                turn = rng.uniform(0, 2)
                for petal in range(5):
                    around = turn + petal * 2 * np.pi / 5
                    brush.dab(spot[0] + 15 * np.cos(around), spot[1] + 15 * np.sin(around), 11, ink=225)
                brush.dab(spot[0], spot[1], 6)
    return brush.sheet()


@lru_cache(maxsize=8)
def waves(seed: int) -> Floats:
    """Rows of seigaiha: overlapping wave arcs."""
    del seed
    brush = Brush(WIDTH, HEIGHT, wraps=True)
    radius, rows = 64, 9
    for row in range(rows):
        for column in range(WIDTH // (2 * radius)):
            x, y = column * 2 * radius + (row % 2) * radius, 500 - row * radius * 0.55
            for ring in (0.95, 0.66, 0.37):
                arc = np.linspace(np.pi * 1.02, np.pi * 1.98, 7)
                curve = [(x + radius * ring * np.cos(a), y + radius * ring * np.sin(a)) for a in arc]
                brush.stroke(curve, 8, belly=0.5, ink=240)
    return brush.sheet()


@lru_cache(maxsize=8)
def bamboo(seed: int) -> Floats:
    """Jointed stems and falling leaves."""
    rng, brush = np.random.default_rng(seed), Brush(WIDTH, HEIGHT, wraps=True)
    for stem in np.arange(50, WIDTH, 213):
        x, lean = stem + rng.uniform(-25, 25), rng.uniform(-0.12, 0.12)
        for joint in range(5):
            y = 500 - joint * 88
            brush.stroke([(x, y), (x + lean * 40, y - 40), (x + lean * 80, y - 80)], 13, belly=0.5, ink=175)
            x += lean * 88
            for _ in range(3 if joint > 1 else 0):
                far, drop = rng.choice([-1, 1]) * rng.uniform(35, 80), rng.uniform(10, 60)
                y0 = y - 75
                brush.stroke([(x, y0), (x + far * 0.5, y0 + drop * 0.2), (x + far, y0 + drop)], 15, belly=0.35)
    return brush.sheet()


@lru_cache(maxsize=8)
def dots(seed: int) -> Floats:
    """Rows of finger dots, set by hand."""
    rng, brush = np.random.default_rng(seed), Brush(WIDTH, HEIGHT, wraps=True)
    for row in range(6):
        for column in range(16):
            x, y = (column + row % 2 / 2) * WIDTH / 16, 90 + row * 62
            brush.dab(x + rng.normal(0, 2.5), y + rng.normal(0, 2.5), 17 - row * 1.2 + rng.normal(0, 1))
    return brush.sheet()


@lru_cache(maxsize=8)
def stripes(seed: int) -> Floats:
    """Upright strokes of a loaded brush, side by side."""
    rng, brush = np.random.default_rng(seed), Brush(WIDTH, HEIGHT, wraps=True)
    for x in np.arange(16, WIDTH, 40):
        sway = rng.normal(0, 4, size=3)
        brush.stroke([(x + sway[0], 500), (x + sway[1], 270), (x + sway[2], 40)], rng.uniform(13, 20), belly=0.5)
    return brush.sheet()


@lru_cache(maxsize=8)
def carp(seed: int) -> Floats:
    """Two carp circling in a plate."""
    rng, brush = np.random.default_rng(seed), Brush(FLAT, FLAT, wraps=False)
    middle = FLAT / 2
    for turn in (0.4, 0.4 + np.pi):

        def at(around: float, out: float, turn: float = turn) -> tuple[float, float]:
            return middle + out * np.cos(turn + around), middle + out * np.sin(turn + around)

        brush.stroke([at(-0.75, 125), at(-0.3, 138), at(0.2, 132), at(0.65, 104)], 62, belly=0.35, ink=205)
        for fin in (-1, 1):
            brush.stroke([at(0.55, 108), at(0.9, 98 + 26 * fin), at(1.2, 112 + 48 * fin)], 19, belly=0.4)
            brush.stroke([at(-0.35, 135 + 24 * fin), at(-0.1, 135 + 50 * fin), at(0.12, 135 + 58 * fin)], 13)
        for scale in np.arange(-0.4, 0.4, 0.13):
            for out in (122, 138):
                brush.dab(*at(scale + rng.normal(0, 0.01), out), 5, ink=255)
        brush.dab(*at(-0.66, 138), 6, ink=20)
    for around in np.arange(0, 2 * np.pi, np.pi / 24):
        ring = [
            (middle + r * np.cos(around + s), middle + r * np.sin(around + s))
            for r, s in ((262, 0), (276, 0.05), (290, 0.02))
        ]
        brush.stroke(ring, 13, belly=0.5)
    return brush.sheet()


@lru_cache(maxsize=8)
def enso(seed: int) -> Floats:
    """A Zen circle in one breath."""
    rng, brush = np.random.default_rng(seed), Brush(FLAT, FLAT, wraps=False)
    for hair in range(14):
        out = 170 + hair * 3.4 + rng.normal(0, 1)
        around = np.linspace(0.4 + rng.uniform(0, 0.1), 5.2 + rng.uniform(0, 1.1), 12)
        ring = [(FLAT / 2 + (out + 9 * a) * np.cos(a), FLAT / 2 + (out + 9 * a) * np.sin(a)) for a in around]
        brush.stroke(ring, rng.uniform(4, 9), belly=0.2, ink=int(rng.uniform(205, 255)))
    return brush.sheet()


@lru_cache(maxsize=8)
def fern(seed: int) -> Floats:
    """Two crossing fern leaves."""
    rng, brush = np.random.default_rng(seed), Brush(FLAT, FLAT, wraps=False)
    for start, bend, end in (((170, 560), (210, 300), (430, 95)), ((520, 520), (440, 350), (250, 170))):
        brush.stroke([start, bend, end], 9, belly=0.3)
        spine = b_spline([start, bend, end], samples=20)
        heading = np.gradient(spine, axis=0)
        for place in range(3, 20):
            (x, y), (dx, dy) = spine[place], heading[place] / np.hypot(*heading[place])
            size = 88 * np.sin(np.pi * (place / 21) ** 0.8) + rng.normal(0, 4)
            for side in (-1, 1):
                tip = x + size * (0.55 * dx - side * 0.8 * dy), y + size * (0.55 * dy + side * 0.8 * dx)
                brush.stroke([(x, y), ((x + tip[0]) / 2 + dx * 4, (y + tip[1]) / 2 + dy * 4), tip], 17, belly=0.4)
    return brush.sheet()
