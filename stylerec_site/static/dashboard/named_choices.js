// Django's searchable choices come without a name for screen readers: give each the text of its label, whenever it comes.
(() => {
  const name = () => {
    for (const choice of document.querySelectorAll(".select2-selection:not([aria-label])")) {
      const select = choice.closest(".select2")?.previousElementSibling;
      const label = select && document.querySelector(`label[for="${select.id}"]`);
      if (!label) continue;
      choice.setAttribute("aria-label", label.textContent.trim());
      choice.querySelector("[role=textbox]")?.setAttribute("aria-label", label.textContent.trim());
    }
  };
  addEventListener("DOMContentLoaded", () => {
    name();
    new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  });
})();
