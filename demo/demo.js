// The buttons of the stories, and where each story has come to.
"use strict";

const service = document.body.dataset.service;
const SIGNS = { triggered: "🔴", acknowledged: "🟡", resolved: "🟢", no_longer_reported: "⚪" };

async function told(response) {
  if (!response.ok) throw new Error(await response.text());
  const state = await response.json();
  for (const story of state.stories) show(story);
  complain(state.failure);
}

function complain(text) {
  const place = document.getElementById("failure");
  place.textContent = text;
  place.hidden = !text;
}

function show(story) {
  const section = document.querySelector(`[data-story="${story.name}"]`);
  const say = JSON.parse(section.dataset.say);
  const on = ["rising", "open", "blind"].includes(story.phase);
  section.dataset.phase = story.phase;
  section.querySelector("[data-deed=tell]").disabled = on;
  section.querySelector("[data-deed=mend]").disabled = !on;
  section.querySelector(".phase").textContent = say[story.phase];
  const lines = story.incidents.map((incident) => line(incident, say));
  section.querySelector(".incidents").replaceChildren(...lines);
}

function line(incident, say) {
  const item = document.createElement("li");
  const ending = incident.resolution === "no longer reported" ? "no_longer_reported" : incident.status;
  item.append(`${SIGNS[ending] || SIGNS[incident.status]} `);
  item.append(link(`#${incident.id} ${incident.title}`, `/console/incidents/${incident.id}`));
  if (incident.alerts > 1) item.append(` · ${say.alerts.replace("{count}", incident.alerts)}`);
  if (incident.acknowledged_by) item.append(` · 👤 ${incident.acknowledged_by}`);
  if (incident.status === "resolved") {
    const name = say.postmortem.replace("{number}", incident.id);
    item.append(" · ", link(name, `/incidents/${incident.id}/postmortem`));
  }
  return item;
}

function link(text, path) {
  const found = document.createElement("a");
  found.textContent = text;
  found.href = service + path;
  found.target = "_blank";
  return found;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-deed]");
  if (!button) return;
  button.disabled = true;
  const story = button.closest("[data-story]").dataset.story;
  await follow(fetch(`/stories/${story}/${button.dataset.deed}`, { method: "POST" }));
});

async function follow(asked) {
  try {
    await told(await asked);
  } catch (error) {
    complain(String(error));
  }
}

follow(fetch("/state"));
setInterval(() => follow(fetch("/state")), 1000);
