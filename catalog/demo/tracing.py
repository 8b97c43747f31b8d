"""Following light through a signed distance field: what a ray meets, what is in shade, what is tucked away.

Sphere tracing: Hart 1996. Soft shadows and ambient occlusion from the same field: Quilez 2010, Evans 2006.
"""

from __future__ import annotations

import numpy as np

from catalog.demo.colour import Floats
from catalog.demo.solids import Solid

HIT = 0.0012
MOST_STEPS = 56


def box_span(solid: Solid, eye: Floats, rays: Floats) -> tuple[Floats, Floats]:
    """Where N×3 ``rays`` from ``eye`` enter and leave the box around the pot (enter > leave: they miss it)."""
    reach, top = solid.radius + 0.02, solid.height + 0.02
    low = np.array([-reach, -reach, 0.0], dtype=np.float32) - eye
    high = np.array([reach, reach, top], dtype=np.float32) - eye
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = low / rays, high / rays
    return np.minimum(first, second).max(axis=1), np.maximum(first, second).min(axis=1)


def trace(solid: Solid, eye: Floats, rays: Floats) -> Floats:
    """How far each of the N×3 unit ``rays`` goes from ``eye`` to the pot; infinity where it misses."""
    travelled = np.full(len(rays), np.inf, dtype=np.float32)
    enter, leave = box_span(solid, eye, rays)
    active = np.flatnonzero(enter < leave)
    directions, reached, end = rays[active].T.copy(), enter[active], leave[active]
    for _ in range(MOST_STEPS):
        gap = solid.distance(*(eye[:, None] + directions * reached))
        hit = gap < HIT
        travelled[active[hit]] = reached[hit]
        reached = reached + gap * np.float32(0.96)
        going = ~hit & (reached < end)
        active, directions, reached, end = active[going], directions[:, going], reached[going], end[going]
        if not active.size:
            break
    return travelled


def occlusion(
    solid: Solid, points: Floats, normals: Floats, *, reach: float = 0.3, steps: int = 4, full: bool = False
) -> Floats:
    """Ambient occlusion at N×3 points: 1 open to the whole sky … 0 shut in."""
    shut = np.zeros(len(points), dtype=np.float32)
    for step in range(1, steps + 1):
        away = reach * (step / steps) ** 1.6
        gap = solid.distance(*(points + normals * np.float32(away)).T, full=full)
        shut += (np.clip(away - gap, 0, away) / away) ** 1.4 / steps
    return np.clip(1 - shut, 0, 1) ** 1.3


def soft_shadow(
    solid: Solid,
    points: Floats,
    light: Floats,
    *,
    hardness: float,
    reach: float = 1.3,
    steps: int = 15,
    full: bool = False,
) -> Floats:
    """How much of a soft lamp in direction ``light`` is seen from N×3 points: 1 all … 0 none.

    The nearest miss, as an angle, decides. Steps grow by the same factor for all points: strides that follow
    the distance field would differ between neighbours and show as bands. ``full``: see ``Solid.distance``.
    """
    seen = np.ones(len(points), dtype=np.float32)
    x, y, z = points.T
    for away in np.geomspace(0.03, reach, steps, dtype=np.float32):
        gap = solid.distance(x + light[0] * away, y + light[1] * away, z + light[2] * away, full=full)
        seen = np.minimum(seen, 0.5 + hardness * gap / away)
    seen = np.clip(seen, 0, 1)
    return seen * seen * (3 - 2 * seen)
