// A set's preview: pictures as they are drawn, safe areas, copied links, questions before deleting.
(() => {
  const root = document.getElementById("creatives");
  const part = (name, within = root) => within.querySelector(`[data-part="${name}"]`);
  let state = JSON.parse(document.getElementById("creatives-state").textContent);
  const show = () => {
    part("label").textContent = state.label;
    part("label").className = `st-tag ${state.status}`;
    part("progress").hidden = state.finished;
    part("bar").style.width = `${state.fraction * 100}%`;
    part("bar").parentElement.setAttribute("aria-valuenow", Math.round(state.fraction * 100));
    part("count").textContent = part("count").dataset.text.replace("{done}", state.done).replace("{total}", state.total);
    part("notice").hidden = !state.notice;
    part("notice").textContent = state.notice || "";
    part("error").hidden = !state.error;
    if (state.error) part("error").textContent = `${state.error.message} ${state.error.hint}`;
    if (part("cancel")) part("cancel").hidden = state.finished;
    for (const button of root.querySelectorAll('[data-part="again"]')) button.disabled = !state.finished;
    for (const cell of root.querySelectorAll("[data-creative]")) {
      const drawn = (state.pictures || {})[cell.dataset.creative];
      if (!drawn) continue;
      const picture = cell.querySelector("img");
      if (drawn.url && picture.getAttribute("src") !== drawn.url) picture.src = drawn.url;
      picture.hidden = !drawn.url;
      part("problem", cell).hidden = !drawn.problem;
      part("problem", cell).textContent = drawn.problem;
    }
  };
  const ask = async () => {
    try {
      const answer = await fetch(root.dataset.state);
      if (answer.ok) state = await answer.json();
    } catch { /* the next look may succeed */ }
    if (state.finished) { location.reload(); return; } // the notes and the download buttons come from the server
    show();
    setTimeout(ask, 1500);
  };
  part("safe").addEventListener("change", (event) => root.classList.toggle("show-safe", event.target.checked));
  root.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const text = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = text; }, 1500);
  });
  for (const form of root.querySelectorAll("form[data-confirm]")) {
    form.addEventListener("submit", (event) => { if (!confirm(form.dataset.confirm)) event.preventDefault(); });
  }
  show();
  if (!state.finished) setTimeout(ask, 1500);
})();
