"""What a page costs a real browser: bytes, what blocks, what shifts, how long until it stands, what a click costs.

Chromium through Playwright; network and processor are throttled by the DevTools protocol, as Lighthouse does when it
applies its throttling rather than simulating it. Every visit has an empty cache.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

#: Kilobits per second in bytes per second.
_KBPS = 1000 / 8
#: A task of the main thread is long beyond this; what is beyond it blocks.
LONG_TASK_MS = 50


@dataclass(frozen=True)
class Device:
    """A screen, a connection and a processor. The figures are Lighthouse's (“slow 4G, 4× slowdown”, “desktop dense 4G”)."""

    width: int
    height: int
    pixel_ratio: float
    is_phone: bool
    latency_ms: float
    down_kbps: float
    up_kbps: float
    slowdown: float


DEVICES = {
    "phone": Device(412, 823, 1.75, True, 562.5, 1474.56, 675, 4),
    "desktop": Device(1350, 940, 1, False, 40, 10_240, 10_240, 1),
}

#: Kept by the page itself from its first moment on.
_OBSERVE = """
window.__seen = { lcp: 0, lcpWhat: "", cls: 0, fcp: 0, tasks: [], events: [] };
const watch = (type, use, more = {}) =>
  new PerformanceObserver((list) => list.getEntries().forEach(use)).observe({ type, buffered: true, ...more });
const last = (address) => (address || "").split("/").pop();
watch("largest-contentful-paint", (e) => {
  __seen.lcp = e.startTime;
  __seen.lcpWhat = (e.element?.tagName || "") + " " + last(e.url);
});
watch("layout-shift", (e) => { if (!e.hadRecentInput) __seen.cls += e.value; });
watch("paint", (e) => { if (e.name === "first-contentful-paint") __seen.fcp = e.startTime; });
watch("longtask", (e) => __seen.tasks.push([e.startTime, e.duration]));
watch("event", (e) => { if (e.interactionId) __seen.events.push(e.duration); }, { durationThreshold: 16 });
"""

_READ = """
async () => {
  const pixels = (src) => new Promise((done) => {
    const image = new Image();
    image.onload = () => done(image.naturalWidth);
    image.onerror = () => done(0);
    image.src = src;
  });
  const pictures = [];
  for (const image of document.images) {
    if (!image.complete || !image.currentSrc || !image.clientWidth) continue;
    const shown = image.clientWidth * devicePixelRatio;
    const name = image.currentSrc.split("/").pop();
    pictures.push([name.split(".").pop(), await pixels(image.currentSrc) / shown, name]);
  }
  const resources = performance.getEntriesByType("resource");
  const blocking = resources.filter((e) => e.renderBlockingStatus === "blocking").map((e) => e.name.split("/").pop());
  const [page] = performance.getEntriesByType("navigation");
  return { ...__seen, pictures, blocking, ttfb: page.responseStart, loaded: page.loadEventEnd,
           nodes: document.querySelectorAll("*").length, width: document.documentElement.scrollWidth };
}
"""


def visit(
    browser: Browser, address: str, *, device: Device, click: str, cookies: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """One cold visit to ``address``, then one click on the selector ``click``; times in milliseconds."""
    context = browser.new_context(
        viewport={"width": device.width, "height": device.height},
        device_scale_factor=device.pixel_ratio,
        is_mobile=device.is_phone,
        has_touch=device.is_phone,
        locale="en",
    )
    try:
        context.add_cookies([*cookies])  # type: ignore[list-item]
        context.add_init_script(_OBSERVE)
        page = context.new_page()
        session = context.new_cdp_session(page)
        received = _received(session)
        _throttle(session, device)
        page.goto(address, wait_until="networkidle", timeout=60_000)
        seen: dict[str, Any] = page.evaluate(_READ)
        by_type, requests = Counter[str](), len(received)
        for kind, size in received.values():
            by_type[kind] += size
        click_ms = _click(page, click)
    finally:
        context.close()
    return _figures(seen, by_type, requests, click_ms, device)


def _received(session: CDPSession) -> dict[str, tuple[str, int]]:
    """Fills itself with the kind and the encoded bytes of every answer."""
    received: dict[str, tuple[str, int]] = {}
    session.send("Network.enable")
    session.on(
        "Network.responseReceived",
        lambda event: received.__setitem__(event["requestId"], (event["type"].lower(), 0)),
    )

    def finished(event: dict[str, Any]) -> None:
        kind, _size = received.get(event["requestId"], ("other", 0))
        received[event["requestId"]] = kind, int(event["encodedDataLength"])

    session.on("Network.loadingFinished", finished)
    return received


def _throttle(session: CDPSession, device: Device) -> None:
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": device.latency_ms,
            "downloadThroughput": device.down_kbps * _KBPS,
            "uploadThroughput": device.up_kbps * _KBPS,
        },
    )
    session.send("Emulation.setCPUThrottlingRate", {"rate": device.slowdown})


def _click(page: Page, selector: str) -> float:
    """From the click to the next paint, the longest of its events; 16 is the least that a browser tells."""
    target = page.locator(selector).first
    target.scroll_into_view_if_needed()
    page.evaluate("__seen.events.length = 0")
    target.click(no_wait_after=True)
    page.wait_for_timeout(1500)
    events: list[float] = page.evaluate("__seen.events")
    return max(events, default=16.0)


def _figures(
    seen: Mapping[str, Any], by_type: Counter[str], requests: int, click_ms: float, device: Device
) -> dict[str, Any]:
    blocked = sum(
        duration - LONG_TASK_MS for start, duration in seen["tasks"] if duration > LONG_TASK_MS and start > seen["fcp"]
    )
    largest = max(seen["pictures"], key=lambda picture: picture[1], default=("", 0.0, ""))
    return {
        "lcp_ms": round(seen["lcp"]),
        "lcp_element": seen["lcpWhat"].strip(),
        "fcp_ms": round(seen["fcp"]),
        "ttfb_ms": round(seen["ttfb"]),
        "cls": round(seen["cls"], 4),
        "tbt_ms": round(blocked),
        "click_ms": round(click_ms),
        "requests": requests,
        "kilobytes": {kind: round(size / 1000, 1) for kind, size in sorted(by_type.items())},
        "total_kilobytes": round(sum(by_type.values()) / 1000, 1),
        "render_blocking": seen["blocking"],
        "dom_nodes": seen["nodes"],
        "pictures": dict(Counter(kind for kind, _ratio, _name in seen["pictures"])),
        "largest_picture": {"pixels_per_shown_pixel": round(largest[1], 2), "name": largest[2]},
        "overflows": seen["width"] > device.width,
    }
