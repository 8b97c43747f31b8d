"""The photographer's studio: a big soft key light, a strip for the rim, bounce from floor and wall.

Diffuse light is Lambert's with a wrapped key and a hemisphere of ambient light under ambient occlusion;
mirrored light is read from an analytic environment through Schlick's Fresnel term, softened by roughness.
"""

from __future__ import annotations

import numpy as np

from catalog.demo.colour import Floats, smoothstep
from catalog.demo.glazes import Finish


def unit(vector: tuple[float, float, float]) -> Floats:
    """The direction of ``vector``."""
    array = np.array(vector, dtype=np.float32)
    return array / np.linalg.norm(array)


#: Towards the key light: from the left, the front and above.
KEY = unit((-0.72, -0.62, 0.82))
KEY_COLOUR = np.array([1.0, 0.96, 0.9], dtype=np.float32) * 0.92
SKY_COLOUR = np.array([0.93, 0.97, 1.0], dtype=np.float32) * 0.42
#: Softboxes: direction, half width, half height (tangents), radiance.
SOFTBOXES = (
    (unit((-0.80, -0.70, 0.62)), 0.40, 0.58, 11.0),
    (unit((0.97, -0.18, 0.35)), 0.10, 0.85, 6.0),
    (unit((0.15, -0.35, 1.0)), 0.9, 0.30, 1.6),
)


def environment(directions: Floats, roughness: Floats, bounce: Floats) -> Floats:
    """Radiance N×3 that arrives from N×3 ``directions``, blurred by ``roughness``; ``bounce`` colours below."""
    up = directions[:, 2]
    above = smoothstep(-0.35, 0.5, up)[:, None]
    light = bounce * (1 - above) * 0.75 + SKY_COLOUR * above * (0.42 + 0.25 * up[:, None])
    soft = 0.02 + 0.75 * roughness
    for centre, half_width, half_height, radiance in SOFTBOXES:
        right = unit((centre[1], -centre[0], 0.0))
        over = np.cross(centre, right)
        facing = directions @ centre
        near = np.flatnonzero(facing > 0.15)
        if not near.size:
            continue
        across = np.abs(directions[near] @ right) / facing[near]
        along = np.abs(directions[near] @ over) / facing[near]
        blur = soft[near]
        inside = _step(half_width, across, blur) * _step(half_height, along, blur)
        # A blurred light is as strong as it is wide: energy is kept.
        strength = radiance * inside * (half_width * half_height / (half_width + blur / 2) / (half_height + blur / 2))
        light[near] += strength[:, None]
    return light


def _step(edge: float, value: Floats, blur: Floats) -> Floats:
    share = np.clip((edge + blur - value) / (2 * blur), 0, 1)
    return share * share * (3 - 2 * share)


def fresnel(cosine: Floats, mirror: Floats, roughness: Floats) -> Floats:
    """Schlick's reflectance N×3, held down at grazing angles where the surface is rough."""
    grazing = np.maximum(1 - roughness[:, None], mirror)
    return mirror + (grazing - mirror) * ((1 - np.clip(cosine, 0, 1)) ** 5)[:, None]


def reflect(rays: Floats, normals: Floats) -> Floats:
    """N×3 rays mirrored in N×3 normals."""
    return rays - 2 * (rays * normals).sum(axis=1, keepdims=True) * normals


def shade(finish: Finish, rays: Floats, *, open_sky: Floats, key_seen: Floats, bounce: Floats) -> Floats:
    """Radiance N×3 from opaque points towards the camera.

    ``open_sky`` is the ambient occlusion, ``key_seen`` the share of the key light that is not in shadow,
    ``bounce`` (N×3) the light from the floor.
    """
    normals = finish.normals
    wrapped = np.clip((normals @ KEY + 0.18) / 1.18, 0, 1) * key_seen
    up = normals[:, 2:3]
    ambient = SKY_COLOUR * (0.5 + 0.5 * up) + bounce * (0.42 - 0.42 * up)
    # Light between close walls takes their colour: pits are not grey (multiple scattering, Jimenez 2016).
    shut = 1 - open_sky[:, None]
    ambient = ambient * (open_sky[:, None] + 0.45 * shut * finish.albedo)
    diffuse = finish.albedo * (KEY_COLOUR * wrapped[:, None] + ambient)
    cosine = -(rays * normals).sum(axis=1)
    share = fresnel(cosine, finish.mirror, finish.roughness)
    mirrored = environment(reflect(rays, normals), finish.roughness, bounce)
    hidden = np.clip(open_sky * (0.45 + 0.55 * key_seen) + 0.1, 0, 1)[:, None]
    return diffuse * (1 - share) + mirrored * share * hidden + finish.glow
