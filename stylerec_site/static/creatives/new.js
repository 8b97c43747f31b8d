// A new set: how many products are chosen, and a search that keeps them.
(() => {
  const form = document.getElementById("brief");
  const finder = document.getElementById("finder");
  const count = form.querySelector('[data-part="count"]');
  const chosen = () => [...form.querySelectorAll('input[name="product"]:checked')];
  const show = () => { count.textContent = count.dataset.text.replace("{n}", chosen().length); };
  // Caught on its way down: the theme's own listener looks for a text field that is not there.
  form.addEventListener("change", (event) => { if (event.target.type === "file") event.stopPropagation(); }, true);
  form.addEventListener("change", show);
  finder.addEventListener("submit", () => {
    finder.elements.products.value = chosen().map((box) => box.value).join(",");
  });
  show();
})();
