/* <stylerec-shelf key="pk_…" slot="home" n="8" consent="granted" href="https://shop.example/p/{sku}">
 *
 * A shelf of products on any page. Without consent="granted" it is the same for everybody: nothing is kept in the
 * browser and nothing is sent. With it, the visitor gets a random id in localStorage, the shelf becomes personal, and
 * what is seen and clicked is told. Taking the attribute away erases the visitor here and there.
 * What stands between the tags is shown where the shelf cannot be.
 */
(() => {
  "use strict";
  const HOME = new URL(document.currentScript ? document.currentScript.src : location.href).origin;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: block; container-type: inline-size; font: inherit; color: inherit; }
    :host([hidden]) { display: none; }
    ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(10rem, 45cqi), 1fr)); gap: 1rem;
         list-style: none; margin: 0; padding: 0; }
    a { color: inherit; text-decoration: none; display: grid; gap: .25rem; }
    a:focus-visible { outline: 2px solid; outline-offset: 3px; border-radius: .5rem; }
    a:hover .name { text-decoration: underline; }
    .picture { aspect-ratio: 1; border-radius: .5rem; overflow: hidden; background: color-mix(in srgb, currentColor 8%, transparent); }
    img { width: 100%; height: 100%; object-fit: cover; display: block; }
    .name { font-weight: 600; }
    .reason { font-size: .85em; opacity: .8; }
  `);

  const randomId = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  // A UUID, also where the page is not served over https and crypto.randomUUID is missing.
  const uuid = () => randomId().replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");

  class StyleRecShelf extends HTMLElement {
    static observedAttributes = ["key", "slot", "n", "consent", "product", "href", "lang"];
    #root = this.attachShadow({ mode: "open" });
    #waiting = [];
    #timer = 0;
    #turn = 0;
    #planned = false;
    #slate = null;
    #seen = new IntersectionObserver((entries) => this.#look(entries), { threshold: 0.5 });

    connectedCallback() {
      this.#root.adoptedStyleSheets = [sheet];
      this.flush = this.flush.bind(this);
      addEventListener("pagehide", this.flush);
      this.#refreshOnce();
    }

    disconnectedCallback() {
      removeEventListener("pagehide", this.flush);
      this.flush();
      this.#seen.disconnect();
    }

    attributeChangedCallback(name, before, after) {
      if (!this.isConnected || before === after) return;
      if (name === "consent" && before === "granted") this.#forget();
      this.#refreshOnce();
    }

    /** An element in the page's source is told of each of its attributes on its own: one question for all of them. */
    #refreshOnce() {
      if (this.#planned) return;
      this.#planned = true;
      queueMicrotask(() => { this.#planned = false; if (this.isConnected) this.#refresh(); });
    }

    /** Tell something that happened on the page: track("add_to_cart", "VA-001"). Without consent it is not told. */
    track(kind, sku, more = {}) {
      if (!this.#visitor()) return;
      this.#waiting.push({ id: uuid(), kind, product: sku, slot: this.#slot, ...more });
      clearTimeout(this.#timer);
      this.#timer = setTimeout(this.flush, 800);
    }

    /** Send what waits. The browser finishes it even where the page is left. */
    flush() {
      clearTimeout(this.#timer);
      const visitor = this.#visitor();
      const events = this.#waiting.splice(0, 100);
      if (visitor && events.length) this.#ask("events/", { method: "POST", body: { visitor, events } }).catch(() => {});
    }

    get #slot() { return this.getAttribute("slot") || "home"; }
    get #place() { return `stylerec:${this.getAttribute("key")}`; }

    #visitor() {
      if (this.getAttribute("consent") !== "granted") return null;
      try {
        const known = localStorage.getItem(this.#place) || randomId();
        localStorage.setItem(this.#place, known);
        return known;
      } catch {
        return null; // the browser keeps nothing: then neither do we
      }
    }

    #forget() {
      this.#waiting = [];
      let visitor = null;
      try {
        visitor = localStorage.getItem(this.#place);
        localStorage.removeItem(this.#place);
      } catch { /* nothing was kept */ }
      if (visitor) this.#ask("consent/", { method: "PUT", body: { visitor, granted: false } }).catch(() => {});
    }

    async #ask(path, { method = "GET", body, query = {}, visitor } = {}) {
      const url = new URL(`/api/v1/shelf/${path}`, this.getAttribute("api") || HOME);
      for (const [name, value] of Object.entries({ key: this.getAttribute("key"), ...query })) {
        if (value) url.searchParams.set(name, value);
      }
      const language = this.getAttribute("lang") || document.documentElement.lang || navigator.language;
      const headers = { "Accept-Language": language };
      if (body) headers["Content-Type"] = "application/json";
      if (visitor) headers["X-Visitor"] = visitor; // not in the address, which logs keep
      const options = { method, headers, credentials: "omit", keepalive: method !== "GET" };
      const answer = await fetch(url, body ? { ...options, body: JSON.stringify(body) } : options);
      if (!answer.ok) throw new Error(`StyleRec answered ${answer.status}`);
      return answer.json();
    }

    async #refresh() {
      const turn = ++this.#turn;
      const visitor = this.#visitor();
      const query = { slot: this.#slot, n: this.getAttribute("n"), product: this.getAttribute("product") };
      try {
        const shelf = await this.#ask("", { query, visitor });
        if (turn !== this.#turn) return; // asked again meanwhile
        if (visitor && !shelf.known) await this.#ask("consent/", { method: "PUT", body: { visitor, granted: true } });
        if (turn === this.#turn) this.#show(shelf);
      } catch (error) {
        if (turn !== this.#turn) return;
        this.#root.replaceChildren(document.createElement("slot")); // the page's own content
        this.dispatchEvent(new CustomEvent("stylerec:error", { detail: error }));
      }
    }

    #show(shelf) {
      this.#slate = shelf.slate;
      this.#seen.disconnect();
      if (!shelf.items.length) return this.#root.replaceChildren(document.createElement("slot"));
      const money = new Intl.NumberFormat(shelf.language, { style: "currency", currency: shelf.currency });
      const list = document.createElement("ul");
      list.setAttribute("part", "list");
      list.append(...shelf.items.map((item, position) => this.#card(item, position, money)));
      this.#root.replaceChildren(list);
      this.dispatchEvent(new CustomEvent("stylerec:shown", { detail: { personal: shelf.personal } }));
    }

    #card(item, position, money) {
      const card = document.createElement("li");
      const link = document.createElement("a");
      const pattern = this.getAttribute("href");
      const target = new URL(pattern ? pattern.replace("{sku}", encodeURIComponent(item.sku)) : item.url, location.href);
      if (/^https?:$/.test(target.protocol)) link.href = target.href;
      link.setAttribute("part", "card");
      const picture = document.createElement("span");
      picture.className = "picture";
      if (item.picture) {
        const { url, srcset, width, height, alt } = item.picture;
        const image = Object.assign(document.createElement("img"), { loading: "lazy", decoding: "async", width, height, alt });
        image.sizes = "(max-width: 40rem) 45vw, 16rem";
        if (srcset) image.srcset = srcset;
        image.src = url;
        picture.append(image);
      }
      link.append(picture);
      for (const [name, text] of [["name", item.name], ["price", money.format(item.price)], ["reason", item.reason]]) {
        if (!text) continue;
        const line = Object.assign(document.createElement("span"), { className: name, textContent: text });
        line.setAttribute("part", name);
        link.append(line);
      }
      const shown = { slate: this.#slate, position, ...(item.rendering && { rendering: item.rendering }) };
      card.shown = () => this.track("impression", item.sku, shown);
      link.addEventListener("click", () => { this.track("click", item.sku, shown); this.flush(); });
      card.append(link);
      this.#seen.observe(card);
      return card;
    }

    #look(entries) {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        this.#seen.unobserve(target);
        target.shown();
      }
    }
  }

  if (!customElements.get("stylerec-shelf")) customElements.define("stylerec-shelf", StyleRecShelf);
})();
