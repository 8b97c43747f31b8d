"""Forms that potters have agreed on: control points (radius, height) from the foot's centre to the rim.

The curve starts inside the foot, turns up at the foot's edge and ends at the lip; handles and spouts are
given as (x, height). About 1 is the height of a vase.
"""

from __future__ import annotations

from catalog.demo.curves import Points
from catalog.demo.solids import Rod, Wall


def _foot(radius: float, *up: tuple[float, float]) -> Points:
    """A flat base of this radius with a crisp edge, then the given points."""
    return ((0, 0.014), (radius * 0.5, 0.014), (radius * 0.92, 0.014), (radius, 0.016), (radius * 1.03, 0.05), *up)


BALUSTER = _foot(0.19, (0.24, 0.14), (0.36, 0.38), (0.42, 0.66), (0.3, 0.88), (0.12, 0.92), (0.1, 1.05), (0.17, 1.12))
MEIPING = _foot(0.2, (0.18, 0.25), (0.27, 0.55), (0.46, 0.82), (0.4, 1.1), (0.1, 1.06), (0.1, 1.14), (0.14, 1.18))
GOURD = _foot(
    0.24, (0.44, 0.12), (0.46, 0.48), (0.2, 0.58), (0.1, 0.66), (0.32, 0.72), (0.3, 0.98), (0.07, 1.02), (0.08, 1.2)
)
CYLINDER = _foot(0.25, (0.26, 0.2), (0.255, 0.6), (0.26, 0.9), (0.28, 1.0))
MOON_JAR = _foot(0.24, (0.5, 0.14), (0.7, 0.5), (0.54, 0.93), (0.25, 0.98), (0.23, 1.0), (0.24, 1.07))
TRUMPET = _foot(0.25, (0.24, 0.08), (0.09, 0.2), (0.12, 0.45), (0.15, 0.75), (0.22, 0.98), (0.44, 1.08))
BUD = _foot(0.24, (0.5, 0.1), (0.5, 0.36), (0.14, 0.42), (0.05, 0.55), (0.06, 0.82), (0.07, 0.95), (0.11, 0.98))
AMPHORA = _foot(0.16, (0.16, 0.12), (0.38, 0.4), (0.44, 0.72), (0.22, 0.88), (0.12, 0.93), (0.12, 1.1), (0.2, 1.16))
AMPHORA_EARS = (
    Rod(((0.13, 1.08), (0.3, 1.12), (0.4, 1.0), (0.36, 0.86), (0.3, 0.8)), (0.032, 0.036), 1.2),
    Rod(((-0.13, 1.08), (-0.3, 1.12), (-0.4, 1.0), (-0.36, 0.86), (-0.3, 0.8)), (0.032, 0.036), 1.2),
)

MUG_STRAIGHT = _foot(0.27, (0.3, 0.1), (0.3, 0.3), (0.3, 0.5), (0.305, 0.64))
MUG_ROUND = _foot(0.2, (0.36, 0.1), (0.39, 0.32), (0.31, 0.5), (0.29, 0.56), (0.31, 0.62))
MUG_TAPER = _foot(0.19, (0.24, 0.14), (0.28, 0.36), (0.32, 0.55), (0.335, 0.64))
MUG_TULIP = _foot(0.16, (0.33, 0.09), (0.3, 0.3), (0.27, 0.42), (0.31, 0.55), (0.36, 0.62))
MUG_TALL = _foot(0.23, (0.25, 0.1), (0.25, 0.4), (0.245, 0.6), (0.25, 0.78))
YUNOMI = _foot(0.19, (0.24, 0.1), (0.255, 0.3), (0.25, 0.5), (0.245, 0.64))
ESPRESSO = _foot(0.14, (0.22, 0.08), (0.25, 0.22), (0.255, 0.4))
SAUCER = ((0, 0.014), (0.16, 0.014), (0.24, 0.014), (0.26, 0.025), (0.4, 0.06), (0.47, 0.1))

BOWL_RICE = _foot(0.16, (0.16, 0.05), (0.34, 0.1), (0.42, 0.26), (0.47, 0.42))
BOWL_WIDE = _foot(0.2, (0.2, 0.04), (0.45, 0.08), (0.6, 0.2), (0.68, 0.36))
BOWL_TEA = _foot(0.15, (0.15, 0.06), (0.36, 0.07), (0.4, 0.25), (0.38, 0.36), (0.4, 0.45))
BOWL_RAMEN = _foot(0.18, (0.17, 0.07), (0.38, 0.12), (0.52, 0.28), (0.56, 0.4), (0.62, 0.46))
PLATE = ((0, 0.014), (0.2, 0.014), (0.4, 0.014), (0.48, 0.016), (0.52, 0.05), (0.56, 0.08), (0.72, 0.1))
COUPE = ((0, 0.014), (0.25, 0.014), (0.5, 0.018), (0.62, 0.06), (0.7, 0.15))

POT_ROUND = _foot(0.22, (0.42, 0.12), (0.46, 0.36), (0.36, 0.56), (0.18, 0.57), (0.17, 0.59))
POT_FLAT = _foot(0.3, (0.52, 0.08), (0.54, 0.26), (0.4, 0.38), (0.19, 0.4), (0.18, 0.42))
POT_TALL = _foot(0.25, (0.33, 0.12), (0.3, 0.4), (0.27, 0.62), (0.19, 0.74), (0.16, 0.75))


def lid(radius: float, height: float) -> Wall:
    """A domed lid with a knob, for an opening of this radius at this height."""
    dome = ((0.0, 0.185), (0.03, 0.185), (0.065, 0.17), (0.055, 0.12), (0.025, 0.1), (0.04, 0.075), (0.13, 0.065))
    edge = ((radius - 0.01, 0.03), (radius + 0.01, -0.005))
    return Wall(tuple((across, height + up) for across, up in (*reversed((*dome, *edge)),)), 0.036)


def ear(near: float, top: float, *, size: float = 1.0, low: float = 0.16) -> Rod:
    """A mug's or jug's handle, from the wall at x = ``near`` and height ``top`` down to ``low``."""
    far, drop = near + 0.24 * size, top - low
    curve = (
        (near - 0.03, top),
        (near + 0.1 * size, top + 0.05 * size),
        (far, top - 0.02 * size),
        (far + 0.02, top - 0.42 * drop),
        (far - 0.08 * size, low + 0.08 * drop),
        (near - 0.03, low),
    )
    return Rod(curve, (0.046, 0.036), 1.35)


def spout(near: float, low: float, top: float, *, reach: float = 0.3) -> Rod:
    """A teapot's spout, from the wall at x = -``near``."""
    curve = (
        (-near + 0.1, low),
        (-near - 0.06, low + 0.02),
        (-near - 0.45 * reach, low + 0.4 * (top - low)),
        (-near - 0.75 * reach, top - 0.06),
        (-near - reach, top + 0.02),
    )
    return Rod(curve, (0.115, 0.05), pours=True)


def bail(near: float, low: float, top: float) -> Rod:
    """A bamboo handle over the lid (material 1)."""
    curve = ((near, low), (near + 0.06, (low + top) / 2), (near * 0.85, top), (0, top + 0.05))
    mirrored = tuple((-across, up) for across, up in reversed(curve[:-1]))
    return Rod((*curve, *mirrored), (0.034, 0.034), material=1)


JUG = _foot(0.24, (0.36, 0.12), (0.38, 0.4), (0.22, 0.62), (0.18, 0.72), (0.22, 0.9))
JUG_TALL = _foot(0.22, (0.27, 0.12), (0.3, 0.4), (0.19, 0.7), (0.16, 0.86), (0.21, 1.04))
CREAMER = _foot(0.17, (0.3, 0.08), (0.31, 0.26), (0.21, 0.42), (0.2, 0.48), (0.25, 0.56))

BOTTLE = _foot(0.24, (0.26, 0.2), (0.26, 0.5), (0.26, 0.68), (0.1, 0.72), (0.07, 0.82), (0.07, 1.0), (0.08, 1.12))
CARAFE = _foot(0.24, (0.42, 0.08), (0.36, 0.38), (0.12, 0.55), (0.1, 0.75), (0.11, 0.9), (0.19, 1.0))
DECANTER = _foot(0.4, (0.64, 0.06), (0.52, 0.28), (0.12, 0.34), (0.08, 0.6), (0.08, 0.85), (0.14, 1.0))
FISHBOWL = _foot(0.2, (0.46, 0.08), (0.52, 0.36), (0.44, 0.62), (0.3, 0.68), (0.28, 0.7), (0.33, 0.78))
GLASS_BUD = _foot(0.2, (0.38, 0.08), (0.36, 0.34), (0.1, 0.4), (0.06, 0.6), (0.06, 0.85), (0.1, 0.98))
GLASS_FLARE = _foot(0.18, (0.2, 0.1), (0.16, 0.4), (0.2, 0.7), (0.3, 0.92), (0.42, 1.02))
TUMBLER = _foot(0.2, (0.23, 0.12), (0.25, 0.36), (0.28, 0.62))
BEADED = _foot(
    0.22,
    (0.4, 0.08),
    (0.38, 0.3),
    (0.14, 0.36),
    (0.14, 0.4),
    (0.33, 0.46),
    (0.3, 0.66),
    (0.1, 0.7),
    (0.1, 0.9),
    (0.17, 1.0),
)

LAMP_GINGER = _foot(0.2, (0.24, 0.06), (0.34, 0.22), (0.36, 0.42), (0.22, 0.58), (0.1, 0.6), (0.08, 0.64))
LAMP_GLOBE = _foot(0.2, (0.4, 0.06), (0.46, 0.32), (0.34, 0.56), (0.1, 0.58), (0.07, 0.62))
LAMP_COLUMN = _foot(0.2, (0.2, 0.1), (0.14, 0.2), (0.15, 0.45), (0.13, 0.6), (0.08, 0.63), (0.06, 0.66))
LAMP_PEBBLE = _foot(0.26, (0.5, 0.05), (0.52, 0.26), (0.3, 0.4), (0.08, 0.4), (0.06, 0.44))
LAMP_GOURD = _foot(
    0.2, (0.38, 0.06), (0.36, 0.3), (0.14, 0.36), (0.14, 0.4), (0.26, 0.46), (0.22, 0.6), (0.07, 0.62), (0.06, 0.66)
)


def shade_of_lamp(low: float, high: float, bottom: float, top: float) -> tuple[Wall, Wall]:
    """A fabric shade (material 1) between two heights on a brass stem (material 2)."""
    stem = Wall(((0.0, low - 0.18), (0.012, low - 0.1), (0.012, low), (0.012, high - 0.1)), 0.04, material=2)
    return Wall(((bottom, low), (top, high)), 0.022, material=1), stem
