// The live page of a stylisation: progress, and renderings as they come.
(() => {
  const root = document.getElementById("stylisation");
  const labels = JSON.parse(document.getElementById("stylisation-labels").textContent);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  let state = JSON.parse(document.getElementById("stylisation-state").textContent);
  const show = () => {
    part("label").textContent = state.label;
    part("label").className = `st-tag ${state.status}`;
    part("bar").style.width = `${state.fraction * 100}%`;
    part("bar").parentElement.setAttribute("aria-valuenow", Math.round(state.fraction * 100));
    part("count").textContent = labels.count.replace("{done}", state.done).replace("{total}", state.total).replace("{flagged}", state.flagged);
    part("notice").hidden = !state.notice;
    part("notice").textContent = state.notice;
    part("error").hidden = !state.error;
    if (state.error) part("error").textContent = `${state.error.message} ${state.error.hint}`;
    const left = [];
    if (state.without_picture) left.push(labels.withoutPicture.replace("{n}", state.without_picture));
    if (state.problems) left.push(labels.problems.replace("{n}", state.problems));
    part("left-out").hidden = !left.length;
    part("left-out").textContent = left.join(" ");
    const grid = part("grid");
    for (const url of state.thumbnails.slice(grid.children.length)) {
      const figure = document.createElement("figure");
      figure.append(Object.assign(document.createElement("img"), { src: url, alt: "" }));
      grid.append(figure);
    }
  };
  const ask = async () => {
    try {
      const answer = await fetch(root.dataset.state);
      if (answer.ok) { state = await answer.json(); show(); }
    } catch { /* the next look may succeed */ }
    if (!state.finished) setTimeout(ask, 2000);
  };
  show();
  if (!state.finished) setTimeout(ask, 2000);
})();
