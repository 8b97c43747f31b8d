// A fit under way: progress every second and a half; the screen is read again when it ends.
(() => {
  const root = document.getElementById("fit");
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  let state = JSON.parse(document.getElementById("fit-state").textContent);
  const show = () => {
    part("label").textContent = state.label;
    part("label").className = `st-tag ${state.status}`;
    part("message").textContent = state.notice || state.message;
    part("bar").style.width = `${state.percent}%`;
    part("bar").parentElement.setAttribute("aria-valuenow", state.percent);
    part("cancel").hidden = !state.can_cancel;
    part("retry").hidden = !state.can_retry;
    part("error").hidden = !state.error;
    part("error").textContent = state.error;
  };
  const ask = async () => {
    try {
      const answer = await fetch(root.dataset.state);
      if (answer.ok) state = await answer.json();
    } catch { /* the next look may succeed */ }
    if (state.status === "succeeded") { location.assign(location.pathname + location.search); return; }
    show();
    if (!state.finished) setTimeout(ask, 1500);
  };
  show();
  if (!state.finished) setTimeout(ask, 1500);
})();
