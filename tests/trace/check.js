// Steps through the page of a trace by its keys alone, and holds what it shows against what was noted, beside what page.js
// holds any page against.
addEventListener("load", () => {
  const press = (key, target = document.body) => target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const panel = document.getElementById("panel"), now = () => document.querySelector("svg .now");
  const expect = (right, what) => { if (!right) wrong.push(`step ${at + 1}: ${what}`); };
  // The tensors shown in a part of the panel are these.
  const shows = (selector, tensors, what) => {
    const found = [...panel.querySelectorAll(`${selector} > .tensor`)], noted = tensors.filter((t) => t !== null);
    expect(found.length === noted.length, `${what}: ${found.length} tensors are shown of ${noted.length}`);
    found.forEach((element, i) => {
      expect(element.dataset.values === (noted[i].values ? JSON.stringify(noted[i].values) : ""), `${what} ${i} has other values`);
      if (!noted[i].values) return;
      const cells = [...element.querySelectorAll("td")].map((cell) => cell.textContent);
      expect(cells.length === noted[i].numel, `${what} ${i} has ${cells.length} cells`);
      cells.forEach((cell, k) => { const v = noted[i].values[k]; expect(typeof v === "string" ? cell === v : Math.abs(Number(cell) - v) <= 5e-4 * Math.abs(v), `${what} ${i}[${k}] is ${cell}`); });
    });
  };
  checkTexts();
  expect(at === -1 && now() === null, "it does not begin before the first step");
  const wasFolded = folded;
  for (let i = 0; i < steps.length; ++i) {
    press("ArrowRight");
    const step = steps[i], node = nodes[step.node];
    expect(at === i, `it stands at ${at}`);
    expect(now() !== null, "no Node is marked");
    expect(panel.querySelector("h2").textContent.startsWith(node.label), "another Node is described");
    expect(!node.formula || panel.textContent.includes(node.formula), "the formula is not there");
    shows(".in", step.grads, "what arrived");
    if (node.leaf && "after" in step) shows(".after", [step.after], "grad()");
    if (!node.leaf && step.results) shows(".out", step.results.filter((_, k) => node.edges[k] !== null), "what is sent on");
    // Nothing that waits stands above.
    expect(step.pending.every((p) => nodes[p.node].level <= node.level), "a Node of a higher level waits");
  }
  press("ArrowRight");
  expect(at === steps.length - 1, "it goes on behind the end");
  checkTexts();
  press("f");
  expect(folded !== wasFolded, "F does not fold");
  const drawn = document.querySelectorAll("g.node").length;
  press("f");
  press("Home");
  expect(at === -1, "Home does not lead to the start");
  press("End");
  expect(at === steps.length - 1, "End does not lead to the end");
  press("ArrowLeft");
  expect(at === steps.length - 2, "there is no way back");
  const node = document.querySelector("g.node");
  expect(node.tabIndex === 0, "a Node can't be reached by Tab");
  press("Enter", node);
  expect(panel.querySelector("h2").textContent.startsWith(nodes[+node.dataset.node].label), "Enter does not show a Node");
  checkTexts();
  press("Escape");
  expect(panel.textContent.includes("Why this one is next"), "Escape does not lead back");
  const boxes = [...document.querySelectorAll("rect.node")].map((box) => box.getBBox());
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => expect(a.x + a.width <= b.x + .5 || b.x + b.width <= a.x + .5 || a.y !== b.y, "Nodes lie over one another")));
  say({ steps: steps.length, nodes: nodes.length, folded: wasFolded, drawn });
});
