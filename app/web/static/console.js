// What the console does beyond reading and sending forms: it stays fresh, and has keys.
// Everything works without it.
"use strict";

(() => {
  const body = document.body;
  const live = document.getElementById("live");
  document.documentElement.classList.add("js");

  // --- Fresh: told by the stream that something changed; every half minute even if not.

  const PAUSE = 400; // ms in which several changes become one look
  let planned = 0;

  function look() {
    planned ||= setTimeout(() => {
      planned = 0;
      body.dispatchEvent(new CustomEvent("plantao:changed"));
    }, PAUSE);
  }

  function show(state) {
    if (!live) return;
    live.dataset.state = state;
    live.textContent = live.dataset[state];
  }

  function listen(address) {
    const source = new EventSource(address);
    source.onopen = () => show("on");
    source.onerror = () => show("off");
    const heard = (event) => {
      const mine = body.dataset.incident;
      const about = number(event.data);
      if (!mine || !about || String(about) === mine) look();
    };
    source.addEventListener("incident", heard);
  }

  function number(data) {
    try {
      return JSON.parse(data).id ?? 0;
    } catch {
      return 0;
    }
  }

  if (document.getElementById("refresher")) show("off");
  if (body.dataset.stream && "EventSource" in window) listen(body.dataset.stream);
  window.addEventListener("offline", () => show("lost"));
  window.addEventListener("online", look);
  body.addEventListener("htmx:sendError", () => show("lost"));
  body.addEventListener("htmx:afterOnLoad", () => {
    if (live?.dataset.state === "lost") show("off");
  });

  // --- What somebody is using stays as it is until they are done with it.

  const BUSY = "details.pop[open], input:focus, textarea:focus, select:focus";
  const waiting = new Set();

  body.addEventListener("htmx:oobBeforeSwap", (event) => {
    const old = event.detail.target;
    const fresh = event.detail.fragment.querySelector(`#${old.id}`);
    const same = fresh && plain(fresh) === plain(old);
    const busy = old.querySelector(BUSY) !== null;
    if (busy && !same) waiting.add(old.id);
    if (busy || same) event.detail.shouldSwap = false;
  });

  function plain(element) {
    const copy = element.cloneNode(true);
    for (const each of [copy, ...copy.querySelectorAll("[class]")]) {
      each.classList.remove("htmx-added", "htmx-settling", "htmx-swapping", "htmx-request");
      if (!each.classList.length) each.removeAttribute("class");
    }
    return copy.outerHTML;
  }

  function caughtUp() {
    if (waiting.size && !document.querySelector(BUSY)) {
      waiting.clear();
      look();
    }
  }

  body.addEventListener("focusout", () => setTimeout(caughtUp));
  body.addEventListener("toggle", () => setTimeout(caughtUp), true);

  // --- Small comforts.

  body.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  body.addEventListener("click", (event) => {
    for (const each of document.querySelectorAll("details.pop[open]")) {
      if (!each.contains(event.target)) each.open = false;
    }
  });

  body.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault(); // pressed twice
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const each of document.forms) delete each.dataset.sent;
  });

  const address = new URL(location.href);
  if (address.searchParams.has("done")) {
    address.searchParams.delete("done");
    history.replaceState(null, "", address);
  }

  // --- Keys.

  const keys = document.getElementById("keys");
  document.getElementById("keys-button")?.addEventListener("click", () => keys.showModal());

  const rows = () => [...document.querySelectorAll("[data-row]")];
  const current = () => document.activeElement?.closest?.("[data-row]");

  function step(way) {
    const all = rows();
    const at = all.indexOf(current());
    const next = at < 0 ? (way > 0 ? 0 : all.length - 1) : at + way;
    const row = all[Math.min(Math.max(next, 0), all.length - 1)];
    row?.querySelector("th a")?.focus();
    row?.scrollIntoView({ block: "nearest" });
  }

  function press(key) {
    const place = rows().length ? current() : document;
    const found = place?.querySelector(`[data-key="${key}"]`);
    if (!found) return;
    if (found.matches("input, textarea")) found.focus();
    else found.click();
  }

  const doing = {
    j: () => step(1),
    k: () => step(-1),
    a: () => press("a"),
    r: () => press("r"),
    n: () => document.querySelector('[data-key="n"]')?.focus(),
    g: () => document.querySelector(".brand")?.click(),
    "/": () => document.querySelector('[data-key="/"]')?.focus(),
    "?": () => keys?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      for (const each of document.querySelectorAll("details.pop[open]")) each.open = false;
      if (event.target.matches("input, textarea, select")) event.target.blur();
      return;
    }
    if (event.target.matches("input, textarea, select") || keys?.open) return;
    const deed = doing[event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  });
})();
