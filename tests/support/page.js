// What any page is held against when a browser has loaded it: put into a copy of the page, before all else. What is wrong is
// written into an element that the DOM's dump shows.
const wrong = [];
addEventListener("error", (event) => wrong.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => wrong.push(`rejected: ${event.reason}`));
for (const name of ["error", "warn"]) console[name] = (...words) => wrong.push(`console: ${words.join(" ")}`);

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

function checkTexts() {
  const back = getComputedStyle(document.body).backgroundColor;
  let texts = 0;
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!own || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    ++texts;
    const style = getComputedStyle(element);
    const ratio = contrast(element instanceof SVGElement ? style.fill : style.color, back);
    if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(1)} of ${element.tagName} ${element.textContent.slice(0, 30)}`);
  }
  if (texts < 5) wrong.push(`there are ${texts} texts`);
}

// The last word: `found`, with what every page says.
function say(found) {
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`it is ${document.documentElement.scrollWidth} pixels wide, on ${innerWidth}`);
  const said = document.createElement("pre");
  said.id = "checked";
  said.textContent = JSON.stringify({ ...found, dark: matchMedia("(prefers-color-scheme: dark)").matches, wrong });
  document.body.append(said);
}
