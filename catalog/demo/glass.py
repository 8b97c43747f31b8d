"""Glass: light that goes through is bent and tinted, light that comes off is a bright line at every wall.

The way through a blown vessel is taken straight (its thin walls bend little); the backdrop behind is read
along a ray bent by what was crossed. Tint follows Beer and Lambert's law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.demo.backdrops import Stage
from catalog.demo.colour import Floats, linear, smoothstep
from catalog.demo.lighting import environment, fresnel, reflect
from catalog.demo.solids import Solid, Surface
from catalog.demo.tracing import box_span

STEPS = 40


@dataclass(frozen=True, slots=True)
class Glass:
    """Coloured glass: what one ``depth`` of it lets through (sRGB hex), and a second colour at the foot."""

    colour: str
    foot: str | None = None
    depth: float = 0.11
    bend: float = 1.5
    frost: float = 0.02  #: roughness


def shade_glass(
    glass: Glass, solid: Solid, stage: Stage, eye: Floats, rays: Floats, hit: Floats, front: Surface, bounce: Floats
) -> Floats:
    """Radiance N×3 along ``rays`` that meet the glass at ``front``, after ``hit``."""
    points = front.points
    crossed, weight = _crossing(solid, eye, rays, hit)
    sideways = front.normals + rays * -(front.normals * rays).sum(axis=1, keepdims=True)
    bent = rays - sideways * (glass.bend * np.minimum(crossed, 0.25))[:, None]
    bent /= np.linalg.norm(bent, axis=1, keepdims=True)
    tint = np.broadcast_to(np.log(np.maximum(linear(glass.colour), 0.004)), points.shape)
    if glass.foot:
        share = smoothstep(0.75, 0.05, weight / solid.height)[:, None]
        tint = tint + (np.log(np.maximum(linear(glass.foot), 0.004)) - tint) * share
    through = np.exp(tint * (crossed / glass.depth)[:, None])
    behind = stage.radiance(points, bent)
    rough = np.full(len(points), glass.frost, dtype=np.float32)
    mirror = np.full_like(points, 0.045)
    cosine = np.abs((front.normals * rays).sum(axis=1))
    share = fresnel(cosine, mirror, rough)
    shine = environment(reflect(rays, front.normals), rough, bounce)
    # The far wall mirrors too, seen through the near one.
    _, leave = box_span(solid, eye, rays)
    ends = eye + rays * leave[:, None]
    back = np.minimum(_trace_each(solid, ends, -rays, leave - hit), leave - hit)
    far = solid.surface(ends - rays * back[:, None])
    far_share = fresnel(np.abs((far.normals * rays).sum(axis=1)), mirror, rough)
    far_shine = environment(reflect(rays, -far.normals), rough, bounce)
    # Glass at a grazing angle shows the dark of the room: the outline by which one knows that it is glass.
    rim = (1 - 0.55 * smoothstep(0.42, 0.08, cosine))[:, None]
    passed = behind * through * rim * (1 - share) * (1 - 0.6 * far_share)
    return passed + shine * share + far_shine * far_share * through * 0.8


def _trace_each(solid: Solid, starts: Floats, rays: Floats, longest: Floats) -> Floats:
    """Sphere tracing from N×3 different ``starts``; ``longest`` where nothing is met."""
    reached = np.zeros(len(rays), dtype=np.float32)
    going = np.arange(len(rays))
    for _ in range(30):
        gap = solid.distance(*(starts[going] + rays[going] * reached[going, None]).T)
        reached[going] += np.maximum(gap, 0.0)
        going = going[(gap > 0.002) & (reached[going] < longest[going])]
        if not going.size:
            break
    return reached


def _crossing(solid: Solid, eye: Floats, rays: Floats, hit: Floats) -> tuple[Floats, Floats]:
    """How much glass each ray crosses, and the mean height at which."""
    _, leave = box_span(solid, eye, rays)
    stride = np.maximum(leave - hit, 1e-4) / STEPS
    crossed, height = np.zeros_like(hit), np.zeros_like(hit)
    for step in range(STEPS):
        x, y, z = (eye + rays * (hit + stride * (step + 0.5))[:, None]).T
        gap = solid.distance(x, y, z)
        # A wall's face is blurred over one stride, so that strides do not show as contour lines.
        part = stride * np.clip(0.5 - gap / np.maximum(stride, 0.004), 0, 1)
        crossed += part
        height += part * z
    return crossed, height / np.maximum(crossed, 1e-5)
