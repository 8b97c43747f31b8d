// The shop switch closes on Escape, and when something else is clicked or reached.
// Choices with a search box are named by their label also while nothing is chosen.
addEventListener("load", () => {
  for (const choice of document.querySelectorAll(".select2-selection[aria-labelledby]")) {
    const label = choice.closest(".select2")?.previousElementSibling?.labels?.[0];
    if (!label) continue;
    label.id ||= `label-of-${label.htmlFor}`;
    choice.setAttribute("aria-labelledby", `${label.id} ${choice.getAttribute("aria-labelledby")}`);
  }
});
(() => {
  const open = () => document.querySelector("details.sh-switch[open]");
  const close = (event) => { const menu = open(); if (menu && !menu.contains(event.target)) menu.open = false; };
  document.addEventListener("click", close);
  document.addEventListener("focusin", close);
  document.addEventListener("keydown", (event) => {
    const menu = open();
    if (event.key !== "Escape" || !menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
})();
