// What a page is held against when a browser has loaded it: put into a copy of the page, before all else. It writes what is
// wrong into an element that the DOM's dump shows.
const wrong = [];
addEventListener("error", (event) => wrong.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => wrong.push(`rejected: ${event.reason}`));
for (const name of ["error", "warn"]) console[name] = (...words) => wrong.push(`console: ${words.join(" ")}`);

addEventListener("load", () => {
  // WCAG 2.1, 1.4.3: relative luminances, and a ratio of 4.5 for text.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const part = (x) => ((x /= 255) <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(rgb(a)), luminance(rgb(b))].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const back = getComputedStyle(document.body).backgroundColor;
  let texts = 0;
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!own || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    ++texts;
    const ratio = contrast(getComputedStyle(element).color, back);
    if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(1)} of ${element.tagName} ${element.textContent.slice(0, 30)}`);
  }
  if (texts < 5) wrong.push(`there are ${texts} texts`);
  let charts = 0;
  for (const canvas of document.querySelectorAll(".chart canvas")) {
    const chart = Chart.getChart(canvas);
    ++charts;
    const label = canvas.getAttribute("aria-label");
    if (!chart) {
      wrong.push(`${label} is no chart`);
      continue;
    }
    const drawn = chart.data.datasets.filter((set, i) => chart.getDatasetMeta(i).data.some((point) => Number.isFinite(point.x) && Number.isFinite(point.y)));
    if (drawn.length === 0) wrong.push(`${label} has no points`);
    for (const set of drawn) {
      const ratio = contrast(set.borderColor, back);
      if (ratio < 3) wrong.push(`contrast ${ratio.toFixed(1)} of ${set.label} in ${label}`);
    }
    for (const scale of Object.values(chart.scales)) {
      if (contrast(scale.options.ticks.color, back) < 4.5) wrong.push(`contrast of the ticks in ${label}`);
    }
    if (canvas.width === 0 || canvas.height === 0) wrong.push(`${label} has no size`);
  }
  for (const canvas of document.querySelectorAll(".heat canvas")) {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    if (!pixels.some((x) => x !== 0)) wrong.push(`the heat map ${canvas.getAttribute("aria-label")} is blank`);
  }
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`it is ${document.documentElement.scrollWidth} pixels wide, on ${innerWidth}`);
  const said = document.createElement("pre");
  said.id = "checked";
  said.textContent = JSON.stringify({ dark: matchMedia("(prefers-color-scheme: dark)").matches, charts, heats: document.querySelectorAll(".heat canvas").length, wrong });
  document.body.append(said);
});
