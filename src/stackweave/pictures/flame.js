"use strict";

const ROW = 18; // pixels
const LETTER = 7.3;
const NARROWEST = 0.5; // boxes below this width are not drawn
const FUNCTION = 0, THREAD = 1, CUT = 2;

/** Children and totals of each node; the root, which the columns do not have, is node 0. */
function grow(data) {
  const tree = { label: ["all"], module: [""], kind: [FUNCTION], parent: [-1], depth: [0], self: [0], total: [0], children: [[]] };
  for (let row = 0; row < data.box.length; row++) {
    const [label, module, kind] = data.boxes[data.box[row]];
    const parent = data.parent[row] + 1;
    tree.label.push(label);
    tree.module.push(module);
    tree.kind.push(kind);
    tree.parent.push(parent);
    tree.depth.push(tree.depth[parent] + 1);
    tree.self.push(data.count[row]);
    tree.total.push(data.count[row]);
    tree.children.push([]);
    tree.children[parent].push(row + 1);
  }
  for (let node = tree.total.length - 1; node > 0; node--) tree.total[tree.parent[node]] += tree.total[node];
  return tree;
}

/** The boxes to draw: {node, x, width}, the whole width for `focus` and its callers. */
function layout(tree, focus, width) {
  const boxes = [];
  for (let node = tree.parent[focus]; node >= 0; node = tree.parent[node]) boxes.push({ node, x: 0, width });
  const scale = tree.total[focus] ? width / tree.total[focus] : 0;
  const waiting = [{ node: focus, x: 0, width }];
  while (waiting.length) {
    const box = waiting.pop();
    if (box.width < NARROWEST) continue;
    boxes.push(box);
    let x = box.x;
    for (const child of tree.children[box.node]) {
      const wide = tree.total[child] * scale;
      waiting.push({ node: child, x, width: wide });
      x += wide;
    }
  }
  return boxes;
}

/** The nodes whose label or module holds `text`, and how many samples lie in them, each once. */
function search(tree, text) {
  const wanted = text.toLowerCase();
  const found = new Set();
  const within = new Uint8Array(tree.label.length);
  let samples = 0;
  if (!wanted) return { found, samples };
  for (let node = 1; node < tree.label.length; node++) {
    const inside = within[tree.parent[node]];
    const fits = tree.label[node].toLowerCase().includes(wanted) || tree.module[node].toLowerCase().includes(wanted);
    if (fits) {
      found.add(node);
      if (!inside) samples += tree.total[node];
    }
    within[node] = inside || fits ? 1 : 0;
  }
  return { found, samples };
}

function share(part, whole) {
  return whole ? `${(100 * part / whole).toFixed(2)} %` : "0 %";
}

function plural(count) {
  return `${count.toLocaleString("en")} ${count === 1 ? "stack" : "stacks"}`;
}

/** What a box says of itself. */
function describe(tree, node) {
  const where = tree.module[node] ? ` (${tree.module[node]})` : "";
  const cut = tree.kind[node] === CUT ? "callers not known, stopped: " : "";
  const self = tree.self[node] ? `, ${tree.self[node].toLocaleString("en")} of them here` : "";
  return `${cut}${tree.label[node]}${where}: ${plural(tree.total[node])}${self}, ${share(tree.total[node], tree.total[0])}`;
}

/** What of a label fits into a box. */
function fitted(label, width) {
  const letters = Math.floor((width - 6) / LETTER);
  if (letters >= label.length) return label;
  return letters > 2 ? `${label.slice(0, letters - 1)}…` : "";
}

/** One colour per module, so that a glance tells whose code it is. */
function colour(tree, node) {
  if (tree.kind[node] === CUT) return "#bbb";
  if (tree.kind[node] === THREAD || node === 0) return "#9bd";
  let hash = 0;
  for (const letter of tree.module[node]) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return `hsl(${20 + hash % 40} ${70 + hash % 25}% ${58 + (tree.label[node].length * 7) % 14}%)`;
}

function start(document) {
  const data = JSON.parse(document.getElementById("data").textContent);
  const tree = grow(data);
  const svg = document.getElementById("flame");
  const detail = document.getElementById("detail");
  const reset = document.getElementById("reset");
  const input = document.getElementById("search");
  let focus = 0;
  let found = new Set();

  function element(name, attributes, parent) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    parent.append(made);
    return made;
  }

  function draw() {
    const boxes = layout(tree, focus, Math.max(svg.clientWidth, 200));
    const rows = 1 + boxes.reduce((most, box) => Math.max(most, tree.depth[box.node]), 0);
    svg.replaceChildren();
    svg.setAttribute("height", rows * ROW);
    for (const { node, x, width } of boxes) {
      const y = (rows - 1 - tree.depth[node]) * ROW;
      const group = element("g", { tabindex: 0 }, svg);
      if (tree.depth[node] < tree.depth[focus]) group.classList.add("below");
      if (found.has(node)) group.classList.add("found");
      element("title", {}, group).textContent = describe(tree, node);
      element("rect", { x, y, width: Math.max(width - 0.5, 0.3), height: ROW - 1, rx: 2, fill: colour(tree, node) }, group);
      element("text", { x: x + 3, y: y + ROW - 5 }, group).textContent = fitted(tree.label[node], width);
      group.addEventListener("click", () => zoom(node));
      group.addEventListener("keydown", (event) => { if (event.key === "Enter") zoom(node); });
      const tell = () => { detail.textContent = describe(tree, node); };
      group.addEventListener("mouseenter", tell);
      group.addEventListener("focus", tell);
    }
  }

  function zoom(node) {
    focus = node;
    reset.disabled = node === 0;
    detail.textContent = describe(tree, node);
    draw();
  }

  function look() {
    const result = search(tree, input.value);
    found = result.found;
    const text = `${plural(result.samples)}, ${share(result.samples, tree.total[0])}`;
    document.getElementById("found").textContent = input.value ? text : "";
    draw();
  }

  function list() {
    const body = document.querySelector("#ends tbody");
    const ends = data.whole ? [["complete", data.whole], ...data.ends] : data.ends;
    for (const [why, count] of ends) {
      const row = body.insertRow();
      for (const text of [count.toLocaleString("en"), share(count, tree.total[0]), why]) row.insertCell().textContent = text;
    }
  }

  reset.addEventListener("click", () => zoom(0));
  input.addEventListener("input", look);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") zoom(0); });
  document.defaultView.addEventListener("resize", draw);
  list();
  zoom(0);
}

if (typeof document !== "undefined") start(document);
if (typeof module !== "undefined") module.exports = { grow, layout, search, describe, fitted, share };
