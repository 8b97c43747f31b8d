"""Taking the picture: the camera is set, the pot is traced and shaded, edges are smoothed, the film developed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from catalog.demo.backdrops import Backdrop, Stage
from catalog.demo.colour import Floats, develop, linear, smoothstep
from catalog.demo.glass import Glass, shade_glass
from catalog.demo.glazes import Finish, Glaze
from catalog.demo.lighting import KEY, shade
from catalog.demo.solids import Rod, Solid, Surface, Wall
from catalog.demo.tracing import occlusion, soft_shadow, trace

#: Eye to pot, in the pot's own size: a long lens, as for portraits.
DISTANCE = 5.0
#: Where a pixel differs this much from a neighbour (of 1 in display light) four rays are averaged there.
CONTRAST = 0.045
SUBPIXELS = ((-0.25, 0.125), (0.125, 0.25), (0.25, -0.125))


@dataclass(frozen=True, slots=True)
class StillLife:
    """One pot in front of the camera."""

    walls: Sequence[Wall]
    materials: Sequence[Glaze | Glass]
    backdrop: Backdrop
    rods: Sequence[Rod] = ()
    elevation: float = 14.0  #: degrees that the camera looks down
    yaw: float = 25.0  #: degrees that the pot is turned (handle towards the viewer)
    fill: float = 0.72  #: share of the frame that the pot takes
    lamp: tuple[float, str] | None = None  #: height and colour of a bulb


class Camera:
    """A perspective camera that looks down by ``elevation`` degrees and fits the pot in its square frame."""

    def __init__(self, solid: Solid, *, elevation: float, fill: float) -> None:
        tilt = np.radians(elevation)
        self._ahead = np.array([0, np.cos(tilt), -np.sin(tilt)], dtype=np.float32)
        self._up = np.array([0, np.sin(tilt), np.cos(tilt)], dtype=np.float32)
        middle = np.array([0, 0, solid.height / 2], dtype=np.float32)
        self.eye = middle - self._ahead * np.float32(DISTANCE * max(solid.height, 2 * solid.radius))
        seen = solid.silhouette() - self.eye
        depth = seen @ self._ahead
        across, above = seen[:, 0] / depth, (seen @ self._up) / depth
        wide, tall = np.ptp(across), np.ptp(above)
        self._half = max(wide, tall) / fill / 2
        self._centre = (across.max() + across.min()) / 2, (above.max() + above.min()) / 2 + 0.04 * self._half

    def rays(self, column: Floats, row: Floats, size: int) -> Floats:
        """Unit directions N×3 through points of a picture of ``size`` pixels (pixel centres at integers)."""
        across = (2 * (column + 0.5) / size - 1) * self._half + self._centre[0]
        above = (1 - 2 * (row + 0.5) / size) * self._half + self._centre[1]
        rays = self._ahead + above[:, None] * self._up
        rays[:, 0] += across
        return (rays / np.linalg.norm(rays, axis=1, keepdims=True)).astype(np.float32)


class _Scene:
    def __init__(self, life: StillLife, seed: int) -> None:
        self._life, self._seed = life, seed
        self.solid = Solid(life.walls, life.rods, yaw=np.radians(life.yaw))
        self.camera = Camera(self.solid, elevation=life.elevation, fill=life.fill)
        glassy = isinstance(life.materials[0], Glass)
        lamp = (life.lamp[0], linear(life.lamp[1])) if life.lamp else None
        self._stage = Stage(life.backdrop, self.solid, seed=seed, shadow=0.5 if glassy else 1.0, lamp=lamp)

    def radiance(self, rays: Floats) -> Floats:
        eye, life = self.camera.eye, self._life
        light = self._stage.radiance(eye, rays)
        hit = trace(self.solid, eye, rays)
        met = np.flatnonzero(np.isfinite(hit))
        if not met.size:
            return light
        rays, hit = rays[met], hit[met]
        surface = self.solid.surface(eye + rays * hit[:, None])
        for number, material in enumerate(life.materials):
            mine = np.flatnonzero(surface.material == number)
            if mine.size:
                light[met[mine]] = self._material(material, rays[mine], hit[mine], surface.at(mine))
        return light

    def _material(self, material: Glaze | Glass, rays: Floats, hit: Floats, surface: Surface) -> Floats:
        eye, bounce = self.camera.eye, self._life.backdrop.bounce
        if isinstance(material, Glass):
            return shade_glass(material, self.solid, self._stage, eye, rays, hit, surface, bounce)
        finish: Finish = material.finish(surface, height=self.solid.height, seed=self._seed)
        lifted = surface.points + surface.normals * np.float32(0.012)
        key_seen = np.ones(len(hit), dtype=np.float32)
        lit = surface.normals @ KEY > -0.25
        for outer in (True, False):
            mine = np.flatnonzero(lit & ((surface.outside > 0) == outer))
            key_seen[mine] = soft_shadow(self.solid, lifted[mine], KEY, hardness=2.6, full=outer)
        return shade(
            finish,
            rays,
            open_sky=occlusion(self.solid, lifted, surface.normals),
            key_seen=key_seen,
            # Near its foot a pot stands over its own shadow: less comes back from the floor.
            bounce=bounce * (0.12 + 0.88 * smoothstep(0.0, 0.3, surface.points[:, 2]))[:, None],
        )


def photograph(life: StillLife, *, size: int, seed: int) -> Image.Image:
    """A square sRGB picture of ``life``, ``size`` pixels a side; ``seed`` decides the accidents of the glaze."""
    scene = _Scene(life, seed)
    row, column = (part.ravel() for part in np.indices((size, size), dtype=np.float32))
    light = scene.radiance(scene.camera.rays(column, row, size))
    shown = np.minimum(light, 1).mean(axis=1).reshape(size, size) ** 0.45
    spread = ndimage.maximum_filter(shown, 3) - ndimage.minimum_filter(shown, 3)
    rough = np.flatnonzero(spread > CONTRAST)
    if rough.size:
        for right, down in SUBPIXELS:
            light[rough] += scene.radiance(scene.camera.rays(column[rough] + right, row[rough] + down, size))
        light[rough] /= 1 + len(SUBPIXELS)
    return develop(light.reshape(size, size, 3))
