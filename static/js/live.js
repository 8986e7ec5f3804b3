// An element with data-live follows what is stored: it asks the page's own address every so many seconds for itself
// and changes what differs, node by node, so that focus, selection, scrolling and open details stay. The answer is 204
// as long as its data-version is the newest. Nothing is asked in a tab that nobody sees; an absent server is asked
// less and less often. One line (components/live.html) says that something changed, or that nothing arrives any more.
const LONGEST = 60; // seconds between two questions, whatever failed
const PATIENCE = 15_000; // milliseconds for an answer
const QUIET = 20_000; // milliseconds: a page that changes all the time need not say so all the time
const AGAIN = "Load the page again.";

const line = document.getElementById("live-word");
const root = () => document.querySelector("[data-live]");
const rowsOf = (version) => version.split("-")[0]; // what follows the hyphen is the clock's

let timer = 0;
let asking = null; // the controller of the question on its way
let isOver = false;
let failures = 0;
const writes = new Set(); // requests by which this page changes something
let era = 0; // grows with them: an answer to what was asked before shows what was before
let wrote = false; // since the last change that was shown, which it explains
let saidAt = -QUIET;
let silence = 0;

function say(text, seconds = 0) {
  if (line.textContent !== text) line.textContent = text;
  clearTimeout(silence);
  if (seconds) silence = setTimeout(() => say(""), seconds * 1000);
}

function plan(seconds) {
  clearTimeout(timer);
  if (isOver || document.hidden || !root()) return;
  timer = setTimeout(ask, seconds * 1000 * (0.9 + Math.random() / 5)); // tabs that were opened together drift apart
}

function end(text = "") {
  isOver = true;
  say(text);
}

// The first failure may be a restart or a tunnel, and says nothing.
function fail(what) {
  failures += 1;
  if (failures > 1) say(`${what} What you see may be old; it is tried again.`);
}

async function ask() {
  const element = root();
  if (!element || isOver) return;
  if (asking || isWriting()) {
    plan(1);
    return;
  }
  const [begun, place] = [era, location.href];
  const mine = new AbortController();
  const patience = setTimeout(() => mine.abort("slow"), PATIENCE);
  asking = mine;
  try {
    const headers = { "HX-Request": "true", "HX-Target": element.id, "HX-Current-URL": place, "X-Live-Version": element.dataset.version };
    const answer = await fetch(place, { headers, cache: "no-store", redirect: "manual", signal: mine.signal });
    const text = await answer.text();
    if (begun === era && place === location.href) take(answer, text);
  } catch (error) {
    if (error !== "hidden") fail(error === "slow" ? "The server takes too long." : "No connection to the server.");
  }
  clearTimeout(patience);
  asking = null;
  const seconds = Number(element.dataset.live);
  plan(failures ? Math.min(seconds * 2 ** failures, LONGEST) : seconds);
}

function take(answer, text) {
  const login = answer.headers.get("HX-Redirect");
  const isOurs = answer.status === 204 || answer.headers.has("X-Live-Version");
  if (login) {
    end();
    location.assign(login);
  } else if (answer.status === 404 || answer.status === 403) {
    end(`This is no longer there, or not for you. ${AGAIN}`);
  } else if (answer.status >= 400) {
    fail("The server has a problem.");
  } else if (!isOurs) {
    end(`This page no longer follows changes. ${AGAIN}`); // somebody before the server, and his log-in page
  } else {
    if (failures > 1) say("");
    failures = 0;
    if (answer.status === 200) show(text);
  }
}

function show(text) {
  const element = root();
  const answer = document.createElement("template");
  answer.innerHTML = text;
  const next = answer.content.getElementById(element.id);
  const before = rowsOf(element.dataset.version);
  next.remove();
  for (const tree of [element, next]) dropBlanks(tree);
  for (const list of next.querySelectorAll("[data-keep-order]")) keepOrder(list, next);
  Idiomorph.morph(element, next, { morphStyle: "outerHTML", callbacks });
  htmx.process(element);
  for (const changed of rewired.splice(0)) if (changed.isConnected) htmx.process(changed);
  htmx.trigger(element, "htmx:load");
  htmx.swap(element, answer.innerHTML, { swapStyle: "none", swapDelay: 0, settleDelay: 0 }); // the title, counts elsewhere
  if (rowsOf(element.dataset.version) !== before) announce();
}

function announce() {
  if (!wrote && Date.now() - saidAt > QUIET) {
    saidAt = Date.now();
    say("Updated just now", 5);
  }
  wrote = false;
}

// The blank between two blocks is like any other blank: what stands between two that are taken for each other would be
// taken out and put in again, and lose its scrolling and selection.
function dropBlanks(tree) {
  for (const parent of new Set([...tree.querySelectorAll("[id]")].map((child) => child.parentNode)))
    for (const node of [...parent.childNodes]) if (node.nodeType === Node.TEXT_NODE && !node.data.trim()) node.remove();
}

// What somebody looks at, and may be about to click, does not change places; what is new comes first. What was switched
// off here stays, so that the click can be taken back.
function keepOrder(list, next) {
  const shown = [...(document.getElementById(list.id)?.children ?? [])];
  for (const off of shown.filter((child) => child.matches(".is-off"))) {
    if (list.querySelector(`#${off.id}`)) continue;
    next.querySelector(`#${off.id.replace("repo-", "row-")}`)?.remove();
    list.append(off.cloneNode(true));
  }
  const ids = shown.map((child) => child.id);
  const place = (child) => (child.id ? ids.indexOf(child.id) : ids.length);
  list.append(...[...list.children].sort((one, other) => place(one) - place(other)));
}

const rewired = []; // whose htmx attributes changed: what they did before has to end
const callbacks = {
  beforeNodeMorphed(old, next) {
    return old.nodeType !== Node.ELEMENT_NODE || !(isSameTime(old, next) || isFilledIn(old));
  },
  beforeAttributeUpdated(name, element) {
    if (name.startsWith("hx-") && !rewired.includes(element)) rewired.push(element);
    return !(name === "open" && element.matches("details"));
  },
};

// time.js said it in the viewer's words already.
function isSameTime(old, next) {
  return old.matches("time[data-style]") && old.dateTime === next.dateTime && old.dataset.style === next.dataset.style;
}

// What somebody typed or chose, or is about to.
function isFilledIn(element) {
  if (!element.matches("select, textarea, input:not([type=hidden])")) return false;
  if (element === document.activeElement) return true;
  if (!element.matches("select")) return element.value !== element.defaultValue;
  const given = [...element.options].find((option) => option.defaultSelected) ?? element.options[0];
  return element.value !== (given?.value ?? "");
}

function isWriting() {
  for (const xhr of writes) if (xhr.readyState === XMLHttpRequest.DONE || !xhr.readyState) writes.delete(xhr);
  return writes.size > 0;
}

document.addEventListener("htmx:beforeSend", (event) => {
  if (event.detail.requestConfig.verb === "get") return;
  writes.add(event.detail.xhr);
  era += 1;
  wrote = true;
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) asking?.abort("hidden");
  plan(0);
});
addEventListener("online", () => plan(0));
addEventListener("pageshow", (event) => {
  if (event.persisted) plan(0); // taken back from the browser's memory, as old as it was left
});
plan(Number(root()?.dataset.live));
