// The pages work without this: links and forms. It shows changes as they are
// committed, times as how long ago they are, and goes on with work in pieces.
"use strict";
(() => {
  const mount = document.body.dataset.mount;
  const light = document.getElementById("live");
  const regions = () => document.querySelectorAll("[data-live]");

  // ago writes times as people say them; the exact one stays in the title.
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  function ago(root) {
    for (const t of root.querySelectorAll("time[datetime]")) {
      t.title ||= t.textContent;
      const seconds = (Date.now() - new Date(t.dateTime)) / 1000;
      const past = Math.abs(seconds);
      if (past < 1) { t.textContent = "now"; continue; }
      const [name, size] = units.find(([, s]) => past >= s) || units[3];
      const text = Math.floor(past / size) + " " + name;
      t.textContent = seconds < 0 ? "in " + text : text + " ago";
    }
  }

  // patch puts what the server shows now in place of what is shown, and keeps
  // what the reader has opened, chosen or begun to write.
  function patch(old, fresh) {
    const active = document.activeElement;
    if (old.contains(active) && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName) && active.type !== "checkbox") return;
    const chosen = new Set([...old.querySelectorAll("input[type=checkbox]:checked")].map((b) => b.value));
    const details = [...old.querySelectorAll("details")].map((d) => d.open);
    const focused = old.contains(active) ? [...old.querySelectorAll("a,button,input,summary")].indexOf(active) : -1;
    ago(fresh);
    for (const box of fresh.querySelectorAll("input[type=checkbox]")) box.checked = chosen.has(box.value);
    const next = [...fresh.querySelectorAll("details")];
    if (next.length === details.length) next.forEach((d, i) => { d.open = details[i]; });
    old.replaceWith(fresh);
    document.dispatchEvent(new Event("patched"));
    if (focused >= 0) fresh.querySelectorAll("a,button,input,summary")[focused]?.focus();
  }

  // served is what the server sent for each region: only what differs is replaced.
  const served = new Map();
  for (const region of regions()) served.set(region.dataset.live, region.innerHTML);

  let busy = false, again = false, pressed = false, last = 0, took = 0;
  async function refresh() {
    if (document.hidden || busy || pressed) { again = true; return; }
    busy = true; again = false; last = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.ok) {
        for (const old of regions()) {
          const fresh = page.querySelector(`[data-live="${old.dataset.live}"]`);
          if (!fresh || fresh.innerHTML === served.get(old.dataset.live)) continue;
          served.set(old.dataset.live, fresh.innerHTML);
          patch(old, document.adoptNode(fresh));
        }
      }
    } catch { light.textContent = "cannot reach the server"; }
    busy = false; took = Date.now() - last;
    if (again) later();
  }

  // later refreshes soon, at most four times a second, and less often where that
  // takes long: who looks is no load for those who work.
  let timer = 0;
  function later() {
    if (timer) return;
    timer = setTimeout(() => { timer = 0; refresh(); }, Math.max(0, Math.min(5000, Math.max(250, 100 * took)) - (Date.now() - last)));
  }

  let events = null;
  function listen() {
    if (document.hidden || !regions().length) { events?.close(); events = null; return; }
    if (events) return;
    events = new EventSource(mount + "api/v1/events?every=250&summary=true");
    events.onopen = () => { light.textContent = "live"; later(); };
    events.onerror = () => { light.textContent = "connecting…"; };
    for (const name of ["changed", "gap"]) events.addEventListener(name, later);
  }

  // Nothing is replaced under a finger.
  addEventListener("pointerdown", () => { pressed = true; });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { pressed = false; if (again) later(); });
  document.addEventListener("visibilitychange", () => { listen(); if (again && !document.hidden) later(); });
  addEventListener("pagehide", () => { events?.close(); events = null; });
  addEventListener("pageshow", listen);
  setInterval(() => { if (!document.hidden) ago(document); }, 1000);
  ago(document);
  const form = document.querySelector("form[data-goes-on]");
  if (form) form.requestSubmit();
})();
