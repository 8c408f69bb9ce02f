// Lets a person use the look-alike: every click becomes what Slack would send, and the page
// follows what happens.
"use strict";

const me = document.body.dataset.as;
let before = {};

let queue = Promise.resolve();

// One after the other: what was typed must be there before it is submitted.
function act(action, details) {
  queue = queue.then(() => told(action, details));
  return queue;
}

async function told(action, details) {
  const answer = await fetch(`/_control/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: me, ...details }),
  });
  const result = await answer.json();
  complain(result.warning || result.error);
  await refresh();
}

function complain(text) {
  const place = document.getElementById("complaint");
  place.textContent = text || "";
  place.hidden = !text;
}

// As in Slack: one looks at the newest, until one scrolls up.
function atEnd() {
  const page = document.documentElement;
  return page.scrollHeight - page.scrollTop - page.clientHeight < 80;
}

function toEnd() {
  document.documentElement.scrollTop = document.documentElement.scrollHeight;
}

async function refresh() {
  const page = await (await fetch(location.href)).text();
  const fresh = new DOMParser().parseFromString(page, "text/html");
  for (const id of ["shown", "layer"]) {
    const now = fresh.getElementById(id);
    const looks = id === "layer" ? layerLooks(now) : now.innerHTML;
    if (before[id] !== undefined && before[id] !== looks) {
      const follow = atEnd();
      document.getElementById(id).innerHTML = now.innerHTML;
      if (follow) toEnd();
    }
    before[id] = looks;
  }
}

// A modal is drawn anew when the app changed it, not when somebody types.
function layerLooks(layer) {
  const parts = [...layer.querySelectorAll("[data-hash], .error, .trouble")];
  return parts.map((each) => (each.dataset.hash ? each.dataset.view + each.dataset.hash
    : each.textContent)).join("|");
}

function place(node) {
  const view = node.closest("[data-view]");
  if (view) return { view: view.dataset.view };
  const message = node.closest("[data-ts]");
  return { channel: message.dataset.channel, ts: message.dataset.ts };
}

function chosen(node) {
  if (node.classList.contains("ticks")) {
    const marked = [...node.querySelectorAll("input:checked")].map((each) => each.value);
    return node.querySelector("input[type=radio]") ? marked[0] ?? null : marked;
  }
  if (node.multiple) return [...node.selectedOptions].map((each) => each.value);
  if (node.type === "datetime-local") {
    return node.value ? Date.parse(`${node.value}:00-03:00`) / 1000 : null;
  }
  return node.value || null;
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-choice]");
  const button = event.target.closest("button[data-action]");
  if (choice) {
    const menu = choice.closest("[data-action]");
    menu.open = false;
    act("use", { ...place(menu), name: menu.dataset.action, choice: choice.dataset.choice });
  } else if (button) {
    if (button.dataset.url) window.open(button.dataset.url, "_blank", "noopener");
    const value = button.dataset.value || null;
    act("use", { ...place(button), name: button.dataset.action, value });
  } else if (event.target.closest("[data-close]")) {
    act("close_modal", {});
  } else if (event.target.closest("[data-react]")) {
    const emoji = event.target.closest("[data-react]").dataset.react;
    const mine = event.target.closest("[data-mine]");
    act(mine ? "unreact" : "react", { ...place(event.target), emoji });
  } else if (event.target.closest("[data-shortcut]")) {
    const callback = event.target.closest("[data-shortcut]").dataset.shortcut;
    act("shortcut", { ...place(event.target), name: callback });
  }
});

document.addEventListener("change", (event) => {
  const field = event.target.closest("[data-action]");
  if (!field || field.tagName === "BUTTON") return;
  act("use", { ...place(field), name: field.dataset.action, choice: chosen(field) });
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target.id === "write") {
    const field = event.target.elements.text;
    const { channel, thread } = event.target.dataset;
    const words = field.value;
    field.value = "";
    if (words.startsWith("/")) act("command", { line: words, channel });
    else act("say", { text: words, channel, thread_ts: thread });
  } else {
    act("submit", {});
  }
});

// For pictures of a menu: ?open=<action_id>
const opened = new URLSearchParams(location.search).get("open");
for (const menu of document.querySelectorAll("details[data-action]")) {
  menu.open = menu.dataset.action === opened;
}
if (document.getElementById("write")) toEnd();
refresh();
setInterval(refresh, 1000);
