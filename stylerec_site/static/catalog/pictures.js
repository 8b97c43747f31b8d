// A product's pictures: upload by drag and drop (one request per file, three at a time), order, alternative text, delete.
(() => {
  const grid = document.getElementById("pictures");
  if (!grid) return;
  const parse = (id) => JSON.parse(document.getElementById(id).textContent);
  const labels = parse("picture-labels");
  const editable = grid.dataset.editable === "1";
  const count = document.getElementById("picture-count");
  const summary = document.getElementById("picture-summary");
  const drop = document.getElementById("picture-drop");
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const say = (text) => { if (summary) summary.textContent = text; };
  const base = location.pathname.replace(/product\/.*$/, "");

  const post = async (address, body) => {
    try {
      const answer = await fetch(address, { method: "POST", headers: { "X-CSRFToken": token, "Content-Type": "application/json" }, body: JSON.stringify(body) });
      const content = await answer.json();
      if (content.error) { say(`${content.error.message} ${content.error.hint}`); return null; }
      return content;
    } catch {
      say(labels.failed);
      return null;
    }
  };

  // --- Cards ---
  const card = (picture) => {
    const item = make("li", { className: "ct-picture", draggable: editable });
    item.dataset.id = picture.id;
    const facts = make("span", { className: "st-quiet", textContent: [picture.size, picture.uses].filter(Boolean).join(" · ") });
    const body = make("div", { className: "body" }, facts);
    if (picture.alike.length) {
      const hint = make("span", { className: "st-quiet", textContent: `${labels.alike}: ` });
      picture.alike.forEach((other, index) => hint.append(index ? ", " : "", make("a", { className: "st-link", href: other.address, textContent: other.name })));
      body.append(hint);
    }
    if (editable) {
      const alt = make("input", { type: "text", value: picture.alt, maxLength: 200, placeholder: labels.alt, ariaLabel: labels.alt });
      alt.addEventListener("change", async () => {
        const saved = await post(`${base}picture/${picture.id}/describe/`, { alt_text: alt.value });
        if (saved) { alt.value = saved.alt_text; say(labels.saved); }
      });
      const button = (text, title, action) => {
        const made = make("button", { type: "button", textContent: text, title, ariaLabel: title });
        made.addEventListener("click", action);
        return made;
      };
      body.append(alt, make("div", { className: "tools" },
        button("←", labels.earlier, () => { item.previousElementSibling?.before(item); saveOrder(); }),
        button("→", labels.later, () => { item.nextElementSibling?.after(item); saveOrder(); }),
        button("✕", labels.delete, () => remove(item, picture))));
    } else if (picture.alt) {
      body.append(make("span", { textContent: picture.alt }));
    }
    const link = make("a", { href: picture.full, target: "_blank", rel: "noopener" },
      make("img", { src: picture.src, alt: picture.alt, loading: "lazy", draggable: false }));
    item.append(link, body);
    return item;
  };

  const remove = async (item, picture) => {
    const question = picture.uses ? labels.confirm_uses.replace("{uses}", picture.uses) : labels.confirm;
    if (!window.confirm(question)) return;
    const answer = await post(`${base}picture/${picture.id}/delete/`, {});
    if (answer) { item.remove(); count.textContent = answer.count; }
  };

  const saveOrder = async () => {
    const ids = [...grid.children].map((item) => Number(item.dataset.id));
    if (await post(drop.dataset.order, { ids })) say(labels.saved);
  };

  for (const picture of parse("picture-cards")) grid.append(card(picture));
  if (!editable) return;

  // --- Order by dragging ---
  let dragged = null;
  grid.addEventListener("dragstart", (event) => {
    dragged = event.target.closest(".ct-picture");
    dragged?.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
  });
  grid.addEventListener("dragover", (event) => {
    const over = event.target.closest(".ct-picture");
    if (!dragged || !over) return;
    event.preventDefault();
    if (over === dragged) return;
    const items = [...grid.children];
    if (items.indexOf(dragged) < items.indexOf(over)) over.after(dragged); else over.before(dragged);
  });
  grid.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  grid.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    if (dragged) saveOrder();
    dragged = null;
  });

  // --- Upload ---
  const list = document.getElementById("picture-uploads");
  const input = drop.querySelector("input");
  const waiting = [];
  const totals = { added: 0, duplicate: 0, rejected: 0, asked: 0 };
  let busy = 0;

  const sayTotals = () => {
    const done = totals.added + totals.duplicate + totals.rejected;
    say(labels.summary.replace("{done}", done).replace("{asked}", totals.asked).replace("{added}", totals.added)
      .replace("{duplicate}", totals.duplicate).replace("{rejected}", totals.rejected));
  };

  const add = (files) => {
    list.hidden = false;
    for (const file of files) {
      const bar = make("progress", { max: 1, value: 0, ariaLabel: file.name });
      const answer = make("span", { textContent: labels.waiting });
      const row = make("li", {}, make("span", { className: "name", textContent: file.name, title: file.name }), bar, answer);
      list.append(row);
      waiting.push({ file, row, bar, answer });
      totals.asked += 1;
    }
    sayTotals();
    next();
  };

  const next = () => { while (busy < 3 && waiting.length) send(waiting.shift()); };

  const send = (sending) => {
    busy += 1;
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", sending.file);
    request.open("POST", drop.dataset.upload);
    request.setRequestHeader("X-CSRFToken", token);
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => { if (event.lengthComputable) sending.bar.value = event.loaded / event.total; };
    request.onload = () => finish(sending, read(request));
    request.onerror = () => finish(sending, { outcome: "rejected", reason: labels.offline });
    request.send(body);
  };

  const read = (request) => {
    try {
      const body = JSON.parse(request.responseText);
      return body.error ? { outcome: "rejected", reason: `${body.error.message} ${body.error.hint}` } : body;
    } catch {
      return { outcome: "rejected", reason: labels.failed };
    }
  };

  const finish = (sending, answer) => {
    busy -= 1;
    totals[answer.outcome] += 1;
    sending.bar.value = 1;
    sending.answer.className = answer.outcome;
    sending.answer.textContent = answer.outcome === "added" ? labels.added : answer.reason;
    if (answer.outcome === "added") { grid.append(card(answer.picture)); count.textContent = answer.count; }
    if (answer.outcome === "rejected") list.prepend(sending.row);
    sayTotals();
    next();
  };

  // Caught on its way down: the theme's own listener would write the file's name into the next text field.
  drop.addEventListener("change", (event) => { event.stopPropagation(); add(input.files); input.value = ""; }, true);
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
  drop.addEventListener("drop", (event) => { if (!dragged) add(event.dataTransfer.files); });
  window.addEventListener("beforeunload", (event) => { if (busy || waiting.length) event.preventDefault(); });
})();
