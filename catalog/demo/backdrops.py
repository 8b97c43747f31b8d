"""What a pot stands on and in front of: a seamless sweep, linen, a wooden table, coloured paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import ndimage

from catalog.demo.colour import Floats, linear, mix, smoothstep
from catalog.demo.lighting import KEY, KEY_COLOUR, SKY_COLOUR
from catalog.demo.noise import solid_noise, turbulence
from catalog.demo.solids import Solid
from catalog.demo.tracing import occlusion, soft_shadow

#: The floor's shadow map: squares a side, and half its width.
SHADOW_SIDE, SHADOW_REACH = 144, 1.7
Ground = Literal["plain", "linen", "wood", "terrazzo"]


@dataclass(frozen=True, slots=True)
class Backdrop:
    """Floor and wall; colours are sRGB hex. ``wall_at`` is how far behind the pot the wall stands."""

    floor: str
    wall: str
    ground: Ground = "plain"
    wall_at: float = 1.7
    seam: float = 0.9  #: over this distance floor turns into wall; small is a crisp paper edge
    disc: str | None = None  #: colour of a big paper sun on the wall
    spot: float = 0.35  #: how strongly the wall fades away from the light

    @property
    def bounce(self) -> Floats:
        """Light that the floor sends back up."""
        return linear(self.floor) * (KEY_COLOUR * KEY[2] + SKY_COLOUR)


class Stage:
    """A backdrop with the shadows that one pot throws on it."""

    def __init__(
        self, backdrop: Backdrop, solid: Solid, *, seed: int, shadow: float, lamp: tuple[float, Floats] | None
    ) -> None:
        self._backdrop, self._seed, self._lamp = backdrop, seed, lamp
        axis = np.linspace(-SHADOW_REACH, SHADOW_REACH, SHADOW_SIDE, dtype=np.float32)
        x, y = (part.ravel() for part in np.meshgrid(axis, axis))
        ground = np.stack([x, y, np.full_like(x, 0.002)], axis=1)
        up = np.broadcast_to(np.array([0, 0, 1], dtype=np.float32), ground.shape)
        seen = soft_shadow(solid, ground, KEY, hardness=2.6, reach=2.0, steps=30, full=True)
        # Under the pot all is dark; blurring the map there would leave a bright seam at the foot.
        key = ndimage.gaussian_filter(seen.reshape(SHADOW_SIDE, SHADOW_SIDE), 1.0)
        sky = occlusion(solid, ground, up, reach=0.45, steps=5, full=True).reshape(SHADOW_SIDE, SHADOW_SIDE)
        self._key, self._sky = 1 - shadow * (1 - key), 1 - shadow * (1 - sky)

    def radiance(self, eye: Floats, rays: Floats) -> Floats:
        """What N×3 ``rays`` from ``eye`` (one (3,), or N×3) would see without the pot, N×3."""
        backdrop = self._backdrop
        down = np.minimum(rays[:, 2], -1e-4)
        away = -eye[..., 2] / down
        x, y = eye[..., 0] + rays[:, 0] * away, eye[..., 1] + rays[:, 1] * away
        on_floor = (rays[:, 2] < -1e-4) & (y < backdrop.wall_at)
        to_wall = (backdrop.wall_at - eye[..., 1]) / np.maximum(rays[:, 1], 1e-4)
        wall_x, wall_z = eye[..., 0] + rays[:, 0] * to_wall, eye[..., 2] + rays[:, 2] * to_wall
        light = self._wall(wall_x, wall_z)
        place = np.flatnonzero(on_floor)
        if place.size:
            floor = self._floor(x[place], y[place])
            turned = smoothstep(backdrop.wall_at - backdrop.seam, backdrop.wall_at, y[place])
            light[place] = mix(floor, light[place], turned)
        return light

    def _wall(self, x: Floats, z: Floats) -> Floats:
        backdrop = self._backdrop
        colour: Any = np.broadcast_to(linear(backdrop.wall), (len(x), 3))
        if backdrop.disc:
            inside = smoothstep(0.985, 0.965, np.hypot(x, z - 0.62) / 0.72)
            colour = mix(colour, linear(backdrop.disc), inside)
        far = np.hypot(x + 0.45, (z - 0.75) * 0.9)
        light = 0.98 * (1 - backdrop.spot * smoothstep(0.1, 2.6, far))
        return colour * light[:, None] + self._lamplight(x, np.full_like(x, backdrop.wall_at), z) * colour

    def _floor(self, x: Floats, y: Floats) -> Floats:
        albedo = self._albedo(x, y)
        scale = (SHADOW_SIDE - 1) / (2 * SHADOW_REACH)
        places = [(y + SHADOW_REACH) * scale, (x + SHADOW_REACH) * scale]
        key = ndimage.map_coordinates(self._key, places, order=1, mode="nearest")[:, None]
        sky = ndimage.map_coordinates(self._sky, places, order=1, mode="nearest")[:, None]
        fade = 1 - 0.22 * smoothstep(0.5, 3.2, np.hypot(x + 0.5, y + 0.2))[:, None]
        lit = (KEY_COLOUR * (KEY[2] * key) + SKY_COLOUR * sky) * fade
        return albedo * (lit + self._lamplight(x, y, np.zeros_like(x)))

    def _lamplight(self, x: Floats, y: Floats, z: Floats) -> Any:
        if self._lamp is None:
            return 0.0
        height, colour = self._lamp
        square = x * x + y * y + (z - height) ** 2
        return colour * (0.8 / (0.25 + square))[:, None]

    def _albedo(self, x: Floats, y: Floats) -> Floats:
        base: Any = np.broadcast_to(linear(self._backdrop.floor), (len(x), 3))
        ground, seed = self._backdrop.ground, self._seed
        if ground == "plain":
            return base
        plane = np.stack([x, y, np.zeros_like(x)], axis=1)
        if ground == "linen":
            slub = solid_noise(plane * np.array([1.0, 9, 1], dtype=np.float32), scale=4, seed=seed)
            slub = slub + solid_noise(plane * np.array([9.0, 1, 1], dtype=np.float32), scale=4, seed=seed + 1)
            weave = np.sin(x * 230 + slub) * np.sin(y * 230 + slub)
            return base * (1 + 0.05 * weave + 0.045 * slub)[:, None]
        if ground == "terrazzo":
            chips = solid_noise(plane, scale=7, seed=seed)
            colour = mix(base, base * 0.55, smoothstep(1.35, 1.45, chips))
            return mix(colour, linear("#c98a6b"), smoothstep(1.4, 1.5, solid_noise(plane, scale=9, seed=seed + 1)))
        # Planks along x, each with its own shade and its own piece of grain.
        board = np.floor(y / 0.42 + 0.3)
        drift = turbulence(plane * np.array([0.5, 3, 1], dtype=np.float32) + board[:, None] * 3.1, scale=1.6, seed=seed)
        rings = 0.5 + 0.5 * np.sin(26 * y + 5 * drift + board * 2)
        fibre = solid_noise(plane * np.array([1.0, 22, 1], dtype=np.float32), scale=3, seed=seed + 1)
        shade = 1 - 0.16 * rings**3 + 0.05 * fibre + 0.09 * np.sin(board * 12.9)
        groove = smoothstep(0.0, 0.012, np.abs((y / 0.42 + 0.3) % 1 - 0.5) * -0.42 + 0.21)
        return base * (shade * (0.45 + 0.55 * groove))[:, None]
