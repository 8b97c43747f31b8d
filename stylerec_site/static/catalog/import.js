// The import's pages: progress of the upload, then of the job.
(() => {
  const form = document.getElementById("import-form");
  if (form) {
    // The form works without this; with it a large ZIP shows how far it has come.
    const bar = document.getElementById("import-progress");
    const message = document.getElementById("import-message");
    // Caught on its way down: the theme's own listener looks for a text field that is not there.
    form.addEventListener("change", (event) => { if (event.target.type === "file") event.stopPropagation(); }, true);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      const request = new XMLHttpRequest();
      const reason = () => {
        try {
          const { error } = JSON.parse(request.responseText);
          return `${error.message} ${error.hint}`;
        } catch { return form.dataset.failed; }
      };
      const fail = () => { button.disabled = false; bar.hidden = true; message.textContent = reason(); };
      button.disabled = true;
      bar.hidden = false;
      message.textContent = form.dataset.sending;
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      request.upload.onprogress = (sent) => { if (sent.lengthComputable) bar.value = sent.loaded / sent.total; };
      request.upload.onload = () => { bar.removeAttribute("value"); message.textContent = form.dataset.checking; };
      request.onerror = fail;
      request.onload = () => {
        if (request.status >= 400) { fail(); return; }
        if (request.responseURL !== location.href) { location.assign(request.responseURL); return; }
        const answered = new DOMParser().parseFromString(request.responseText, "text/html");
        document.querySelectorAll("#import-form .errorlist").forEach((old) => old.remove());
        answered.querySelectorAll("#import-form .errorlist").forEach((errors) => message.before(document.adoptNode(errors)));
        button.disabled = false;
        bar.hidden = true;
        message.textContent = "";
      };
      request.send(new FormData(form));
    });
  }

  const run = document.getElementById("import-run");
  if (!run?.dataset.state) return;
  const part = (name) => run.querySelector(`[data-part=${name}]`);
  const show = (state) => {
    part("bar").style.width = `${state.percent}%`;
    part("bar").parentElement.setAttribute("aria-valuenow", state.percent);
    part("message").textContent = state.message;
    part("label").textContent = state.label;
    part("label").className = `st-tag ${state.status}`;
  };
  const look = async () => {
    try {
      const state = await (await fetch(run.dataset.state)).json();
      if (state.finished) { location.reload(); return; }
      if (!state.error) show(state);
    } catch { /* the next look may find the server again */ }
    setTimeout(look, 1500);
  };
  look();
})();
