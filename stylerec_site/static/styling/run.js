// The live page of a training: asks every two seconds while it runs, draws curves, lets samples be scrubbed.
(() => {
  const root = document.getElementById("run");
  const labels = JSON.parse(document.getElementById("run-labels").textContent);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const percent = (value) => (Number.isFinite(value) ? `${Math.round(value * 100)}%` : "–");
  let state = JSON.parse(document.getElementById("run-state").textContent);
  const page = document.title;
  let follow = true, playing = null, drawn = "", offline = 0;

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
    part("eta").textContent = duration(state.eta);
    part("left").hidden = part("for").hidden = state.finished;
    part("took").hidden = !state.finished;
    part("elapsed").textContent = duration(state.elapsed);
    root.classList.toggle("running", state.status === "running");
    root.classList.toggle("warming", state.status === "running" && !state.total);
    document.title = state.finished ? (state.outcome ? `✓ ${page}` : page) : `${Math.round(state.fraction * 100)}% · ${page}`;
    for (const name of ["style_score", "content_score"]) part(name).textContent = percent(state.scores[name]);
    for (const name of ["cancel", "resume", "again"]) part(name).hidden = !state.can[name];
    const notice = offline > 1 ? labels.offline : state.notice;
    part("notice").hidden = !notice;
    if (part("notice").textContent !== notice) part("notice").textContent = notice;
    part("error").hidden = !state.error;
    if (state.error) {
      part("error-message").textContent = state.error.message;
      part("error-hint").textContent = state.error.hint;
    }
    part("outcome").hidden = !state.outcome;
    part("outcome-text").textContent = state.outcome;
    if (part("next").childElementCount !== state.next.length) part("next").replaceChildren(...state.next.map((step, index) =>
      Object.assign(document.createElement("a"), { className: index ? "st-button" : "st-button primary", href: step.address, textContent: step.text })));
    const curves = state.losses[0] || {};
    for (const text of root.querySelectorAll("[data-loss]")) text.hidden = !(text.dataset.loss in curves) && state.losses.length > 0;
    samples();
    const key = `${state.losses.length}:${state.history.length}:${state.step}`;
    if (key === drawn) return;
    drawn = key;
    const names = Object.fromEntries(Object.keys(curves).filter((name) => name !== "step").map((name) => [name, labels.losses[name] || name]));
    window.styleCharts.draw(part("losses-chart"), state.losses, names, { title: labels.lossesTitle, empty: labels.noLosses });
    window.styleCharts.draw(part("scores-chart"), state.history, { style_score: labels.style, content_score: labels.content },
      { range: [0, 1], format: percent, title: labels.scoresTitle, empty: labels.noScores, mark: { step: state.kept_step, text: labels.kept } });
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
    const picture = part("sample");
    if (picture.getAttribute("src") !== chosen.url) {
      const next = new Image();  // decoded first: the sample grows sharper without a blank between two of them
      next.onload = () => { picture.src = chosen.url; picture.animate?.([{ opacity: 0.35 }, { opacity: 1 }], 350); };
      next.src = chosen.url;
    }
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
        if (answer.ok) { state = await answer.json(); offline = 0; } else offline += 1;
      } catch { offline += 1; }
      show();
    }
    if (!state.finished) setTimeout(ask, 2000);
  };
  show();
  if (!state.finished) setTimeout(ask, 2000);
})();
