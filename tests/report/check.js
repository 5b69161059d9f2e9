// What a report is held against, beside what page.js holds any page against.
addEventListener("load", () => {
  checkTexts();
  const back = getComputedStyle(document.body).backgroundColor;
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
  say({ charts, heats: document.querySelectorAll(".heat canvas").length });
});
