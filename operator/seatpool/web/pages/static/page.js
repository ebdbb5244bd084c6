// Keeps a page live, tells the server the zone of the reader's clock, and helps with copying, the slider and trying calls.
"use strict";
const find = (selector, within = document) => Array.from(within.querySelectorAll(selector));

// The zone: told once, by a cookie. The page is asked for again if its times are in another zone.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && document.cookie.split("; ").indexOf("zone=" + zone) < 0) {
  document.cookie = "zone=" + zone + "; path=/; max-age=31536000; samesite=strict";
  const shown = document.documentElement.dataset.zone;
  const told = document.cookie.split("; ").indexOf("zone=" + zone) >= 0;
  if (told && shown && shown !== zone) location.reload();
}

// Live: the server sends elements by id.
function show(id, html) {
  const old = document.getElementById(id);
  if (!old) return;
  const made = document.createElement("template");
  made.innerHTML = html;
  const fresh = made.content.firstElementChild;
  if (!fresh || old.isEqualNode(fresh)) return;
  const open = find("details[open][id]", old).map((one) => one.id);
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(fresh);
  open.forEach((one) => { const found = document.getElementById(one); if (found) found.open = true; });
  if (focused) { const found = document.getElementById(focused); if (found) found.focus(); }
}
function live(state, text) {
  const told = document.getElementById("live");
  if (told && told.dataset.state !== state) { told.dataset.state = state; told.textContent = text; }
}
let source = null;
let later = 0;
function connect() {
  disconnect();
  source = new EventSource(main.dataset.stream);
  source.addEventListener("rows", (event) => {
    live("on", "Live");
    Object.entries(JSON.parse(event.data)).forEach(([id, html]) => show(id, html));
  });
  source.addEventListener("end", (event) => {
    const told = JSON.parse(event.data);
    disconnect();
    live("off", "Not live: " + told.title);
    if (told.status === 401) location.reload(); else later = setTimeout(connect, 5000);
  });
  source.onerror = () => {
    live("off", "Not live: connecting again");
    if (source.readyState === EventSource.CLOSED) later = setTimeout(connect, 30000);
  };
}
function disconnect() {
  clearTimeout(later);
  if (source) source.close();
}
const main = document.querySelector("main[data-stream]");
if (main) {
  connect();
  // A browser has few connections to one site: a page that is not looked at gives its own back.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) connect();
    else { clearTimeout(later); later = setTimeout(() => { disconnect(); live("off", "Not live: the page is in the background"); }, 10000); }
  });
}

// A part that takes long is asked for after the page is there.
find("[data-load]").forEach((one) => fetch(one.dataset.load, { headers: { Accept: "text/html" } })
  .then((answer) => answer.text())
  .then((html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById(one.id);
    if (fresh) { one.replaceWith(fresh); slide(); }
  }));

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  navigator.clipboard.writeText(button.dataset.copy).then(() => { button.textContent = "Copied"; });
});

// What-if: the slider chooses a row of the table and shows its sentence.
function slide() {
  const slider = document.getElementById("slider");
  if (!slider) return;
  slider.addEventListener("input", () => {
    find("tr[data-seats]").forEach((row) => {
      const is = row.dataset.seats === slider.value;
      row.classList.toggle("chosen", is);
      if (is) document.getElementById("what-if").textContent = row.dataset.told;
    });
    find("circle.chosen").forEach((ring) => {
      const dot = ring.ownerSVGElement.querySelector('[data-seats="' + Number(slider.value) + '"]');
      if (dot) ["cx", "cy"].forEach((name) => ring.setAttribute(name, dot.getAttribute(name)));
    });
  });
}
slide();

// A link to a part that is folded opens it.
function unfold() {
  const found = location.hash && document.getElementById(location.hash.slice(1));
  if (found && found.tagName === "DETAILS") found.open = true;
}
window.addEventListener("hashchange", unfold);
unfold();

// Calls of the API, with the session of the reader.
find("[data-origin]").forEach((one) => { one.textContent = one.textContent.split("$SEATS").join(location.origin); });
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-try]");
  if (!form) return;
  event.preventDefault();
  let path = form.dataset.path;
  const query = new URLSearchParams();
  find("[data-in]", form).forEach((one) => {
    if (one.dataset.in === "path") path = path.split("{" + one.name + "}").join(encodeURIComponent(one.value));
    else if (one.value) query.set(one.name, one.value);
  });
  const text = form.querySelector("textarea");
  const asked = { method: form.dataset.try, headers: text ? { "Content-Type": "application/json" } : {}, body: text ? text.value : undefined };
  const out = form.querySelector("output");
  out.hidden = false;
  out.textContent = "Asking …";
  try {
    const answer = await fetch(path + (query.size ? "?" + query : ""), asked);
    const body = await answer.text();
    let shown = body;
    try { shown = JSON.stringify(JSON.parse(body), null, 2); } catch (_) { /* it is no JSON */ }
    out.textContent = answer.status + " " + answer.statusText + "\n" + shown;
  } catch (error) { out.textContent = "No answer: " + error.message; }
});
