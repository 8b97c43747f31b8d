// The shop switch closes on Escape, and when something else is clicked or reached.
// Choices with a search box are named by their label also while nothing is chosen. They are made late, and in new rows.
const nameChoices = () => {
  for (const choice of document.querySelectorAll(".select2-selection[aria-labelledby]:not([data-named])")) {
    choice.dataset.named = "";
    const label = choice.closest(".select2")?.previousElementSibling?.labels?.[0];
    if (!label) continue;
    label.id ||= `label-of-${label.htmlFor}`;
    choice.setAttribute("aria-labelledby", `${label.id} ${choice.getAttribute("aria-labelledby")}`);
    const shown = choice.querySelector("[role=textbox]"); // what is shown is no box to type in
    for (const name of ["role", "aria-readonly"]) shown?.removeAttribute(name);
  }
};
new MutationObserver(nameChoices).observe(document.documentElement, { childList: true, subtree: true });
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
