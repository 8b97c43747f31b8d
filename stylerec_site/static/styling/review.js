// The review screen: a queue of renderings, one at a time, by keyboard; bulk and undo. Strings come from the page.
(() => {
  const root = document.getElementById("review");
  const labels = JSON.parse(document.getElementById("review-labels").textContent);
  const models = JSON.parse(document.getElementById("review-models").textContent);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const filters = document.getElementById("filters");
  const batches = [];
  const chosen = new Set();
  let items = [], at = 0, more = false, total = 0, loading = false, toastTimer = null;

  // --- Talking to the server ---
  const post = async (address, body) => {
    try {
      const answer = await fetch(address, { method: "POST", body: JSON.stringify(body),
        headers: { "Content-Type": "application/json", "X-CSRFToken": root.dataset.token } });
      const content = await answer.json();
      if (content.error) { say(`${content.error.message} ${content.error.hint}`); return null; }
      return content;
    } catch { say(labels.failed); return null; }
  };
  const load = async () => {
    if (loading) return;
    loading = true;
    const query = new URLSearchParams(new FormData(filters));
    if (items.length) query.set("after", items[items.length - 1].id);
    try {
      const content = await (await fetch(`${root.dataset.items}?${query}`)).json();
      if (!items.length) total = content.total;
      items.push(...content.items);
      more = content.more;
    } catch { say(labels.failed); }
    loading = false;
    film();
  };

  // --- Showing ---
  const say = (text, undoable = false) => {
    part("toast-text").textContent = text;
    part("toast-undo").hidden = !undoable;
    part("toast").hidden = false;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => { part("toast").hidden = true; }, 7000);
  };
  const picture = (element, source) => {
    element.removeAttribute("srcset");
    element.src = source.src;
    if (source.srcset) { element.sizes = "(max-width: 60rem) 100vw, 55vw"; element.srcset = source.srcset; }
  };
  const show = () => {
    const item = items[at];
    part("bench").hidden = !item;
    part("empty").hidden = Boolean(item);
    part("empty-text").textContent = labels.empty;
    if (!item) return;
    part("before").alt = item.alt;
    part("after").alt = `${item.alt} – ${item.style}`;
    picture(part("before"), item.before);
    picture(part("after"), item.after);
    part("compare").style.setProperty("--shape", item.width / item.height);
    part("product").textContent = item.product;
    part("status").textContent = item.label;
    part("status").className = `st-tag st-push ${item.status}`;
    const strength = item.options.strength === undefined ? "" : ` · ${Math.round(item.options.strength * 100)}%`;
    part("facts").textContent = `${item.sku} · ${item.style} · ${labels.version.replace("{n}", item.version)}${strength}`;
    part("domain-notice").hidden = !item.notice;
    part("domain-notice").textContent = item.notice;
    part("reject-reason").hidden = !item.reason;
    part("reject-reason").textContent = item.reason;
    part("flag").hidden = !item.flagged;
    part("no-truth").hidden = Boolean(item.truth);
    part("truth").innerHTML = item.truth; // rendered and escaped by the server, as on the product's page
    part("history").replaceChildren(...item.history.map((step) => Object.assign(document.createElement("li"), {
      className: step.undone ? "undone" : "",
      textContent: `${new Date(step.when).toLocaleString()} · ${step.who} · ${step.from} → ${step.to}${step.reason ? ` · ${step.reason}` : ""}` })));
    part("position").textContent = labels.position.replace("{n}", at + 1).replace("{total}", Math.max(total, items.length));
    const can = { approve: ["generated", "rejected"], reject: ["generated", "approved", "published"], publish: ["generated", "approved"], unpublish: ["published"] };
    for (const [verb, statuses] of Object.entries(can)) {
      const button = root.querySelector(`.rv-actions [data-do="${verb}"]`);
      if (button) { button.disabled = !statuses.includes(item.status); if (verb === "unpublish") button.hidden = button.disabled; }
    }
    for (const [index, button] of [...part("film").querySelectorAll("button")].entries()) {
      button.setAttribute("aria-current", index === at);
      const strip = part("film");
      if (index === at) strip.scrollLeft = button.parentElement.offsetLeft - strip.offsetLeft - strip.clientWidth / 2 + button.clientWidth / 2;
    }
    if (more && items.length - at < 12) load();
  };
  const film = () => {
    const queue = part("choose-queue"); // not there for whoever may only look
    if (queue) { queue.hidden = !more; queue.textContent = labels.chooseQueue.replace("{n}", total); }
    part("film").replaceChildren(...items.map((item, index) => {
      const entry = document.createElement("li");
      entry.className = item.moved ? "moved" : "";
      const button = Object.assign(document.createElement("button"), { type: "button", title: item.product });
      button.append(Object.assign(document.createElement("img"), { src: item.thumbnail, alt: item.product, loading: "lazy" }));
      button.addEventListener("click", () => go(index));
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: chosen.has(item.id), ariaLabel: item.product });
      box.addEventListener("change", () => choose(item.id, box.checked));
      entry.append(button, box);
      if (item.moved || item.flagged) entry.append(Object.assign(document.createElement("span"), { className: "mark", textContent: item.moved ? item.label : "⚑" }));
      return entry;
    }));
    show();
  };
  const go = (index) => {
    at = Math.min(Math.max(0, index), Math.max(0, items.length - 1));
    part("slider").value = 50;
    slide();
    show();
  };
  const slide = () => part("compare").style.setProperty("--at", `${part("slider").value}%`);
  const choose = (id, wanted) => {
    if (wanted) chosen.add(id); else chosen.delete(id);
    part("chosen").textContent = chosen.size ? labels.chosen.replace("{n}", chosen.size) : "";
    for (const name of ["bulk-approve", "bulk-publish"]) {
      const button = root.querySelector(`[data-do="${name}"]`);
      if (button) button.disabled = !chosen.size;
    }
  };

  // --- Doing ---
  const settle = (outcome, undone = false) => {
    for (const item of items) {
      const now = outcome.moved[item.id];
      if (now) Object.assign(item, { status: now.status, label: now.label, moved: !undone });
    }
    for (const id of Object.keys(outcome.moved)) chosen.delete(Number(id));
    choose(0, false);
    const moved = Object.keys(outcome.moved).length;
    const texts = [undone ? labels.undone : labels.moved.replace("{n}", moved)];
    const reasons = new Map();
    for (const refusal of outcome.refused) reasons.set(refusal.message, (reasons.get(refusal.message) || 0) + 1);
    for (const [message, count] of reasons) texts.push(`${labels.refused.replace("{n}", count)}: ${message}`);
    if (!undone && moved) batches.push(outcome.batches);
    say(texts.join(" · "), !undone && moved > 0);
    return moved;
  };
  const MOST = 500; // renderings that one request moves
  const merge = (into, outcome) => {
    Object.assign(into.moved, outcome.moved);
    into.refused.push(...outcome.refused);
    into.batches.push(outcome.batch);
  };
  // What was moved before something went wrong is settled, and can be taken back like the rest.
  const act = async (verb, ids, extra = {}) => {
    const whole = { moved: {}, refused: [], batches: [] };
    for (let from = 0; from < ids.length; from += MOST) {
      if (ids.length > MOST) say(labels.moving.replace("{done}", from).replace("{total}", ids.length));
      const outcome = await post(root.dataset.act, { verb, ids: ids.slice(from, from + MOST), ...extra });
      if (!outcome) break;
      merge(whole, outcome);
    }
    return whole.batches.length ? settle(whole) : 0;
  };
  const one = async (verb, extra = {}) => {
    const item = items[at];
    if (!item) return;
    if (await act(verb, [item.id], extra)) { at = Math.min(at + 1, items.length - 1); part("slider").value = 50; slide(); }
    film();
  };
  const ask = (dialog) => new Promise((resolve) => {
    dialog.returnValue = "no";
    dialog.showModal();
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
  const verbs = {
    previous: () => go(at - 1),
    next: () => go(at + 1),
    approve: () => one("approve"),
    unpublish: () => one("unpublish"),
    reject: async () => {
      if (!items[at]) return;
      part("reason").value = "";
      if (await ask(part("reject-dialog"))) one("reject", { reason: part("reason").value });
    },
    publish: async () => {
      const item = items[at];
      if (!item) return;
      if (item.flagged && !window.confirm(labels.confirmFlagged)) return;
      await one(item.status === "approved" ? "publish" : "approve_and_publish", { accept_flagged: item.flagged });
    },
    regenerate: async () => {
      const item = items[at];
      if (!item) return;
      part("strength").value = item.options.strength ?? 1;
      part("keep-color").value = item.options.keep_color ?? 0;
      part("restyle").value = item.options.keep_product ? "background" : item.options.keep_background ? "product" : "whole";
      for (const name of ["strength", "keep-color"]) part(name).dispatchEvent(new Event("input"));
      part("model").replaceChildren(...models.filter((model) => model.style_id === item.style_id).map((model) =>
        Object.assign(document.createElement("option"), { value: model.pk, selected: model.pk === item.model, textContent: `v${model.version} · ${model.status}` })));
      const agreed = await ask(part("again-dialog"));
      part("after").style.opacity = "";
      if (!agreed) return;
      const answer = await post(root.dataset.regenerate.replace("/0/", `/${item.id}/`), {
        strength: Number(part("strength").value), keep_color: Number(part("keep-color").value),
        keep_product: part("restyle").value === "background", keep_background: part("restyle").value === "product",
        style_model: Number(part("model").value) });
      if (answer) say(answer.notice || labels.regenerating);
    },
    undo: async () => {
      const last = batches.pop();
      if (!last) { say(labels.nothingToUndo); return; }
      const outcome = { moved: {}, refused: [], batches: [] }, left = [];
      for (const batch of last.reverse()) {
        const part = await post(root.dataset.undo, { batch });
        if (part) merge(outcome, part);
        else left.unshift(batch);
      }
      if (left.length) batches.push(left); // not taken back yet: Undo tries them again
      if (!outcome.batches.length) return;
      settle(outcome, true);
      const first = items.findIndex((item) => outcome.moved[item.id]);
      if (first >= 0) at = first;
      film();
    },
    "choose-all": () => {
      if (items.every((item) => chosen.has(item.id))) { chosen.clear(); choose(0, false); }
      else for (const item of items) choose(item.id, !item.moved);
      film();
    },
    "choose-queue": async () => {
      try {
        const query = new URLSearchParams([...new FormData(filters), ["keys", "1"]]);
        for (const key of (await (await fetch(`${root.dataset.items}?${query}`)).json()).keys) chosen.add(key);
      } catch { say(labels.failed); }
      choose(0, false);
      film();
    },
    "bulk-approve": async () => { await act("approve", [...chosen]); film(); },
    "bulk-publish": async () => {
      if (!window.confirm(labels.confirmBulk.replace("{n}", chosen.size))) return;
      await act("approve_and_publish", [...chosen]);
      film();
    },
    choose: () => { const item = items[at]; if (item) { choose(item.id, !chosen.has(item.id)); film(); } },
  };

  // --- Listening ---
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button && !button.disabled) verbs[button.dataset.do]();
    const reason = event.target.closest("[data-reason]");
    if (reason) part("reason").value = reason.dataset.reason;
  });
  const available = (name) => { const button = root.querySelector(`.rv-actions [data-do="${name}"]`); return button && !button.disabled; };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || root.querySelector("dialog[open]")) return;
    if (event.target.matches("textarea, select, input:not([type=range]):not([type=checkbox])")) return;
    const slider = part("slider");
    const name = { ArrowLeft: "previous", ArrowRight: "next", a: "approve", r: "reject", p: "publish", g: "regenerate", u: "undo", x: "choose" }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (event.shiftKey && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
      slider.value = Number(slider.value) + (event.key === "ArrowLeft" ? -10 : 10);
      slide();
    } else if (event.key === " " && !event.target.matches("button, input[type=checkbox], summary")) {
      slider.value = Number(slider.value) > 50 ? 0 : 100;
      slide();
    } else if (name && (["previous", "next", "choose"].includes(name) || available(name))) {
      verbs[name]();
    } else return;
    event.preventDefault();
  });
  part("slider").addEventListener("input", slide);
  for (const name of ["strength", "keep-color"])
    part(name).addEventListener("input", () => { part(`${name}-text`).textContent = `${Math.round(part(name).value * 100)}%`; });
  // Strength blends a rendering with its original: laying one over the other shows the outcome before it is made.
  part("strength").addEventListener("input", () => {
    const made = items[at].options.strength || 1;
    if (part("again-dialog").open) part("after").style.opacity = Math.min(1, part("strength").value / made);
  });
  filters.addEventListener("change", (event) => { if (event.target.name) filters.submit(); });
  load().then(() => {
    const wanted = items.findIndex((item) => String(item.id) === location.hash.slice(1));
    if (wanted >= 0) go(wanted);
  });
})();
