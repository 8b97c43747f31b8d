// The “?” beside a product-truth figure: its explanation beside it, by pointer as well as by key; Escape closes it.
(() => {
  const tipOf = (button) => document.getElementById(button.getAttribute("popovertarget"));
  const place = (button) => {
    const tip = tipOf(button), at = button.getBoundingClientRect();
    tip.style.margin = "0";
    tip.style.left = `${Math.max(16, Math.min(at.left, innerWidth - tip.offsetWidth - 16))}px`;
    const below = at.bottom + 6 + tip.offsetHeight < innerHeight;
    tip.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - 6 - tip.offsetHeight)}px`;
  };
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches?.(".tg-tip") || event.newState !== "open") return;
    const button = document.querySelector(`[popovertarget="${event.target.id}"]`);
    if (button) place(button);
  }, true);
  const hover = (event, open) => {
    const button = event.target.closest?.(".tg-help");
    if (!button || event.pointerType !== "mouse") return;
    const tip = tipOf(button);
    if (tip.matches(":popover-open") !== open) tip.togglePopover(open);
  };
  document.addEventListener("pointerover", (event) => hover(event, true));
  document.addEventListener("pointerout", (event) => hover(event, false));
})();
