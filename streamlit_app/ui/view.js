/**
 * Draws trees of [tag, attributes, children] in place: what stays the same keeps its focus, its selection and its
 * place. Text is only ever text.
 */
const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["svg", "path", "g", "line", "rect", "circle"]);
const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60]];

function span(ms) {
  const seconds = Math.max(ms, 0) / 1000;
  const [unit, size] = UNITS.find(([, size]) => seconds >= 1.5 * size) ?? ["s", 1];
  return `${Math.round(seconds / size).toLocaleString("en-US")} ${unit}`;
}

function make(tree) {
  if (typeof tree === "string") return document.createTextNode(tree);
  const element = DRAWN.has(tree[0]) ? document.createElementNS(SVG, tree[0]) : document.createElement(tree[0]);
  return patch(element, tree);
}

function fits(node, tree) {
  return typeof tree === "string" ? node.nodeType === Node.TEXT_NODE : node.localName === tree[0];
}

function patch(node, tree) {
  if (typeof tree === "string") {
    if (node.data !== tree) node.data = tree;
    return node;
  }
  const [, attributes, children] = tree;
  for (const { name } of [...node.attributes]) if (!(name in attributes)) node.removeAttribute(name);
  for (const [name, value] of Object.entries(attributes)) {
    const text = value === true ? "" : String(value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
  if (!("ago" in attributes || "due" in attributes)) fill(node, children);
  return node;
}

function fill(parent, children) {
  const keyed = new Map([...parent.childNodes].map((node) => [node.getAttribute?.("key"), node]));
  let place = parent.firstChild;
  for (const tree of children) {
    const key = typeof tree === "string" ? undefined : tree[1].key;
    let node = key === undefined ? place : keyed.get(String(key));
    if (!node || !fits(node, tree) || (key === undefined && node.getAttribute?.("key"))) {
      node = parent.insertBefore(make(tree), place);
    } else {
      patch(node, tree);
      if (node !== place) parent.insertBefore(node, place);
    }
    place = node.nextSibling;
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function tick(view) {
  const now = Date.now() + (globalThis.tidemarkAhead ?? 0);
  for (const node of view.root.querySelectorAll("[ago], [due]")) {
    let text;
    if (node.hasAttribute("ago")) {
      text = `${span(now - Number(node.getAttribute("ago")))} ago`;
    } else {
      const left = Number(node.getAttribute("due")) - now;
      const late = -left > Number(node.getAttribute("every"));
      text = left > 0 ? `next in ${span(left)}` : late ? `overdue by ${span(-left)}` : "next is due";
      node.classList.toggle("late", late);
    }
    if (node.textContent !== text) node.textContent = text;
  }
}

function move(event) {
  const group = event.target.closest?.("[roam]");
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (!group || !step || !event.target.matches("button")) return;
  const buttons = [...group.querySelectorAll("button")];
  buttons[buttons.indexOf(event.target) + step]?.focus();
  event.preventDefault();
}

function open(parent) {
  const root = parent.appendChild(document.createElement("div"));
  root.className = "view";
  const view = { root, choose: () => {}, undo: undefined };
  root.addEventListener("click", (event) => {
    const chosen = event.target.closest("button[choose]");
    if (chosen) view.choose(chosen.getAttribute("choose"));
  });
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && view.undo !== undefined) view.choose(view.undo);
    else move(event);
  });
  return view;
}

/** Brings what was asked for into sight, once, where it is not there already. */
function appear(view, what) {
  const before = view.appeared;
  view.appeared = what;
  if (!what || what === before) return;
  const { top, bottom } = view.root.getBoundingClientRect();
  if (top >= 0 && bottom <= innerHeight) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  view.root.scrollIntoView({ block: "start", behavior: still ? "instant" : "smooth" });
}

const views = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  const view = views.get(parentElement) ?? open(parentElement);
  views.set(parentElement, view);
  view.choose = (value) => setTriggerValue("chosen", value);
  view.undo = data.undo ?? undefined;
  if (data.now) globalThis.tidemarkAhead = data.now - Date.now();
  fill(view.root, data.trees);
  tick(view);
  appear(view, data.appear);
  view.clock ??= setInterval(() => tick(view), 1000);
  return () => {
    clearInterval(view.clock);
    view.clock = undefined;
  };
}
