// A rendering that opens large: before and after under one slider. Arrows move it, space flips, Escape closes.
(() => {
  const dialog = document.getElementById("compare");
  if (!dialog) return;
  const part = (name) => dialog.querySelector(`[data-part="${name}"]`);
  const slider = part("slider");
  const slide = () => part("box").style.setProperty("--at", `${slider.value}%`);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-before]");
    if (!button) return;
    part("before").src = button.dataset.before;
    part("after").src = button.dataset.after;
    part("title").textContent = button.dataset.title || button.getAttribute("aria-label");
    slider.value = 50;
    slide();
    dialog.showModal();
    slider.focus();
  });
  slider.addEventListener("input", slide);
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target !== slider) return;
    event.preventDefault();
    slider.value = Number(slider.value) > 50 ? 0 : 100;
    slide();
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
})();
