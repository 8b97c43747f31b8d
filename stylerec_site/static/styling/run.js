// The live page of a training: asks every two seconds while it runs, draws curves, lets samples be scrubbed.
(() => {
  const root = document.getElementById("run");
  const labels = JSON.parse(document.getElementById("run-labels").textContent);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const percent = (value) => (Number.isFinite(value) ? `${Math.round(value * 100)}%` : "–");
  let state = JSON.parse(document.getElementById("run-state").textContent);
  let follow = true, playing = null, drawn = "";

  const duration = (seconds) => {
    if (!Number.isFinite(seconds)) return "–";
    if (seconds < 90) return labels.seconds.replace("{n}", Math.max(1, Math.round(seconds)));
    if (seconds < 5400) return labels.minutes.replace("{n}", Math.round(seconds / 60));
    return labels.hours.replace("{n}", (seconds / 3600).toFixed(1));
  };

  const show = () => {
    part("label").textContent = state.cancelling ? labels.cancelling : state.label;
    part("label").className = `st-tag ${state.status}`;
    part("bar").style.width = `${(state.fraction * 100).toFixed(1)}%`;
    part("bar").parentElement.setAttribute("aria-valuenow", Math.round(state.fraction * 100));
    part("step").textContent = state.total ? `${state.step} / ${state.total}` : "–";
    part("eta").textContent = state.finished ? "–" : duration(state.eta);
    for (const name of ["style_score", "content_score"]) part(name).textContent = percent(state.scores[name]);
    for (const name of ["cancel", "resume", "again"]) part(name).hidden = !state.can[name];
    part("notice").hidden = !state.notice;
    part("notice").textContent = state.notice;
    part("error").hidden = !state.error;
    if (state.error) {
      part("error-message").textContent = state.error.message;
      part("error-hint").textContent = state.error.hint;
    }
    part("outcome").hidden = !state.outcome;
    part("outcome-text").textContent = state.outcome;
    part("versions").href = state.versions;
    samples();
    const key = `${state.losses.length}:${state.history.length}:${state.step}`;
    if (key === drawn) return;
    drawn = key;
    const names = Object.fromEntries(Object.keys(state.losses[0] || {}).filter((name) => name !== "step").map((name) => [name, labels.losses[name] || name]));
    window.styleCharts.draw(part("losses-chart"), state.losses, names, { title: labels.lossesTitle, empty: labels.noLosses });
    window.styleCharts.draw(part("scores-chart"), state.history, { style_score: labels.style, content_score: labels.content },
      { range: [0, 1], format: percent, title: labels.scoresTitle, empty: labels.noScores });
  };

  const samples = () => {
    const some = state.samples.length > 0;
    part("samples").hidden = !some;
    part("no-samples").hidden = some;
    if (!some) return;
    const scrub = part("scrub");
    scrub.max = state.samples.length - 1;
    if (follow) scrub.value = scrub.max;
    sample();
  };
  const sample = () => {
    const chosen = state.samples[Number(part("scrub").value)];
    if (part("sample").getAttribute("src") !== chosen.url) part("sample").src = chosen.url;
    part("sample-step").textContent = labels.step.replace("{n}", chosen.step);
  };
  part("scrub").addEventListener("input", () => { follow = part("scrub").value === part("scrub").max; sample(); });
  part("play").addEventListener("click", () => {
    clearInterval(playing);
    follow = false;
    part("scrub").value = 0;
    sample();
    playing = setInterval(() => {
      const scrub = part("scrub");
      scrub.value = Number(scrub.value) + 1;
      sample();
      if (scrub.value === scrub.max) { clearInterval(playing); follow = true; }
    }, 700);
  });

  for (const form of root.querySelectorAll("form[data-confirm]"))
    form.addEventListener("submit", (event) => { if (!window.confirm(form.dataset.confirm)) event.preventDefault(); });

  const ask = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(root.dataset.state, { headers: { Accept: "application/json" } });
        if (answer.ok) { state = await answer.json(); show(); }
      } catch { /* the next look may succeed */ }
    }
    if (!state.finished) setTimeout(ask, 2000);
  };
  show();
  if (!state.finished) setTimeout(ask, 2000);
})();
