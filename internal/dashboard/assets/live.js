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

  // patch turns what is shown into what the server shows now, in place. Elements
  // stay where they can, so that focus, what is selected, scrolled, opened, chosen or
  // typed stays as well.
  function patch(old, fresh) {
    for (const { name, value } of fresh.attributes) {
      const theirs = name === "open" || (name === "hidden" && old.matches("[data-all]"));
      if (!theirs && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      const theirs = name === "open" || name === "title";
      if (!theirs && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    if (!old.matches("[data-keep]")) children(old, fresh);
  }

  // same tells which nodes are the same one, before and after.
  const same = (n) => n.nodeName + " " + (n.dataset?.key || n.id || (n.nodeName === "FORM" && n.getAttribute("action")) || "");

  function children(old, fresh) {
    const left = new Map(); // what is there, by what it is
    for (const child of old.childNodes) {
      const name = same(child);
      if (!left.has(name)) left.set(name, []);
      left.get(name).push(child);
    }
    const pairs = [...fresh.childNodes].map((next) => [left.get(same(next))?.shift(), next]);
    const kept = new Set();
    for (const gone of [...left.values()].flat()) {
      if (gone.nodeType === Node.ELEMENT_NODE && touched(gone)) { gone.dataset.kept = ""; kept.add(gone); } else gone.remove();
    }
    let place = old.firstChild;
    for (const [found, next] of pairs) {
      while (kept.has(place)) place = place.nextSibling;
      if (!found) { old.insertBefore(next, place); continue; }
      if (found.nodeType === Node.ELEMENT_NODE) patch(found, next);
      else if (found.data !== next.data) found.data = next.data;
      if (found === place) place = place.nextSibling;
      else old.insertBefore(found, place);
    }
  }

  // touched tells of something chosen or typed, which is not taken away.
  function touched(element) {
    for (const e of element.querySelectorAll("input, textarea")) {
      if (e.type === "checkbox" ? e.checked !== e.defaultChecked : e.value !== e.defaultValue) return true;
    }
    return false;
  }

  function show(old, fresh) {
    ago(fresh);
    const active = document.activeElement;
    patch(old, fresh);
    document.dispatchEvent(new Event("patched"));
    if (active !== document.activeElement && old.contains(active)) active.focus({ preventScroll: true });
  }

  // served is what the server sent for each region: only what differs is replaced.
  const served = new Map();
  for (const region of regions()) served.set(region.dataset.live, region.innerHTML);

  let busy = false, again = false, pressed = false, last = -5000, took = 0;
  async function refresh() {
    if (document.hidden || busy || pressed) { again = true; return; }
    busy = true; again = false; last = performance.now();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error", signal: AbortSignal.timeout(30000) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.ok) {
        if (events?.readyState === EventSource.OPEN) say("live");
        for (const old of regions()) {
          const fresh = page.querySelector(`[data-live="${old.dataset.live}"]`);
          if (!fresh || fresh.innerHTML === served.get(old.dataset.live)) continue;
          served.set(old.dataset.live, fresh.innerHTML);
          show(old, document.adoptNode(fresh));
        }
      } else say("not up to date");
    } catch { say("cannot reach the server"); }
    busy = false; took = performance.now() - last;
    if (again) later();
  }

  // later refreshes soon: at most four times a second, and less often what takes
  // its time, so that to look on costs the server little.
  let timer = 0;
  function later() {
    if (timer) return;
    timer = setTimeout(() => { timer = 0; refresh(); }, Math.max(0, Math.min(Math.max(250, 100 * took), 5000) - (performance.now() - last)));
  }

  function say(text) {
    light.textContent = text;
    light.classList.toggle("on", text === "live");
  }

  let events = null;
  function listen() {
    if (document.hidden || !regions().length) { events?.close(); events = null; return; }
    if (events) return;
    events = new EventSource(mount + "api/v1/events?every=250&summary=true");
    events.onopen = () => { say("live"); later(); };
    events.onerror = () => {
      say("connecting…");
      if (events.readyState === EventSource.CLOSED) { events = null; setTimeout(listen, 5000); } // what a proxy refused, browsers do not try again
    };
    for (const name of ["changed", "gap"]) events.addEventListener(name, later);
  }

  // Nothing is replaced under a finger.
  addEventListener("pointerdown", () => { pressed = true; });
  for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, () => { pressed = false; if (again) later(); });
  document.addEventListener("visibilitychange", () => { listen(); if (again && !document.hidden) later(); });
  addEventListener("pagehide", () => { events?.close(); events = null; });
  addEventListener("pageshow", listen);
  // Time passes without an event: what is due, how long something waits, who has left.
  setInterval(() => {
    if (document.hidden) return;
    ago(document);
    if (regions().length && performance.now() - last > 15000) later();
  }, 1000);
  ago(document);

  // All rows of a page can be chosen at once.
  const all = document.querySelector("input[data-all]");
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => {
      for (const box of all.closest("table").querySelectorAll("tbody input[type=checkbox]")) box.checked = all.checked;
    });
  }

  const form = document.querySelector("form[data-goes-on]");
  if (form) form.requestSubmit();
})();
