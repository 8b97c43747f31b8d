// Drag-and-drop upload of a style's references: one request per file, three at a time, each with its progress and answer.
(() => {
  const labels = JSON.parse(document.getElementById("upload-labels").textContent);
  const drop = document.getElementById("drop");
  const grid = document.getElementById("references");
  const count = document.getElementById("reference-count");
  if (!drop) return;
  const list = document.getElementById("uploads");
  const summary = document.getElementById("upload-summary");
  const input = drop.querySelector("input");
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const waiting = [];
  const totals = { added: 0, duplicate: 0, rejected: 0, asked: 0 };
  let busy = 0;

  const say = () => {
    const done = totals.added + totals.duplicate + totals.rejected;
    summary.textContent = labels.summary
      .replace("{done}", done).replace("{asked}", totals.asked).replace("{added}", totals.added)
      .replace("{duplicate}", totals.duplicate).replace("{rejected}", totals.rejected);
  };

  const add = (files) => {
    list.hidden = false;
    for (const file of files) {
      const row = document.createElement("li");
      const name = Object.assign(document.createElement("span"), { className: "name", textContent: file.name, title: file.name });
      const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0, ariaLabel: file.name });
      const answer = Object.assign(document.createElement("span"), { textContent: labels.waiting });
      row.append(name, bar, answer);
      list.append(row);
      waiting.push({ file, row, bar, answer });
      totals.asked += 1;
    }
    say();
    next();
  };

  const next = () => {
    while (busy < 3 && waiting.length) send(waiting.shift());
  };

  const send = (upload) => {
    busy += 1;
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("files", upload.file);
    request.open("POST", drop.dataset.address);
    request.setRequestHeader("X-CSRFToken", token);
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => { if (event.lengthComputable) upload.bar.value = event.loaded / event.total; };
    request.onload = () => finish(upload, read(request));
    request.onerror = () => finish(upload, { outcome: "rejected", reason: labels.offline });
    request.send(body);
  };

  const read = (request) => {
    try {
      const body = JSON.parse(request.responseText);
      if (body.error) return { outcome: "rejected", reason: `${body.error.message} ${body.error.hint}` };
      count.textContent = body.count;
      return body.outcomes[0];
    } catch {
      return { outcome: "rejected", reason: labels.failed };
    }
  };

  const finish = (upload, answer) => {
    busy -= 1;
    totals[answer.outcome] += 1;
    upload.bar.value = 1;
    upload.answer.className = answer.outcome;
    upload.answer.textContent = answer.outcome === "added" ? labels.added : answer.reason;
    if (answer.outcome === "added") grid.prepend(figure(answer));
    if (answer.outcome === "rejected") list.prepend(upload.row);
    say();
    next();
  };

  const figure = (answer) => {
    const made = document.createElement("figure");
    made.dataset.id = answer.id;
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "✕", title: labels.remove, ariaLabel: labels.remove });
    made.append(Object.assign(document.createElement("img"), { src: answer.thumbnail, alt: "" }), remove);
    return made;
  };

  // Caught on its way down: the theme's own listener looks for a text field that is not there.
  drop.addEventListener("change", (event) => { event.stopPropagation(); add(input.files); input.value = ""; }, true);
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
  drop.addEventListener("drop", (event) => add(event.dataTransfer.files));
  window.addEventListener("beforeunload", (event) => { if (busy || waiting.length) event.preventDefault(); });

  grid.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button || !window.confirm(labels.confirm)) return;
    const shown = button.closest("figure");
    button.disabled = true;
    const answer = await fetch(`${drop.dataset.address}${shown.dataset.id}/remove/`, { method: "POST", headers: { "X-CSRFToken": token } });
    if (answer.ok) {
      count.textContent = (await answer.json()).count;
      shown.remove();
    } else {
      button.disabled = false;
      summary.textContent = labels.failed;
    }
  });
})();
