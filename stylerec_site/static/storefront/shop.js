// What the pages do beyond links and forms: tell the shop which of the chosen products really came into view.
// Only pages with a consented profile carry the address to tell it to; without it nothing is watched.
(() => {
  "use strict";
  const { seen, token } = document.body.dataset;
  if (!seen || !("IntersectionObserver" in window)) return;

  const waiting = new Map(); // slate → positions
  const tell = () => {
    for (const [slate, positions] of waiting) {
      const body = new URLSearchParams({ slate, positions: [...positions].join(","), csrfmiddlewaretoken: token });
      fetch(seen, { method: "POST", body, keepalive: true, credentials: "same-origin" }).catch(() => {});
    }
    waiting.clear();
  };

  let timer = 0;
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      const { slate, position } = target.dataset;
      waiting.set(slate, (waiting.get(slate) ?? new Set()).add(position));
    }
    clearTimeout(timer);
    timer = setTimeout(tell, 1000);
  }, { threshold: 0.5 });

  const watch = (root) => root.querySelectorAll("[data-slate]").forEach((card) => observer.observe(card));
  watch(document);
  document.body.addEventListener("htmx:afterSwap", (event) => watch(event.detail.target));
  document.addEventListener("visibilitychange", () => document.hidden && tell());
})();
