"""What readers who see or hear pages in another way would stumble over: axe, and every contrast."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
#: Everything folded away is opened; the panel of columns would lie over the table.
OPEN = "for (const d of document.querySelectorAll('details:not(.columns)')) d.open = true"
FINDINGS = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'], preload: false });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}"""
#: axe leaves out texts in charts and single characters; this takes every text that is seen, with
#: the colours behind it one above the other. Large letters (24 pixels, or bold 18.66) need 3:1.
FAINT = """() => {
  const pixel = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    return [...pixel.getImageData(0, 0, 1, 1).data].map((value) => value / 255);
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((value, i) => a * value + (1 - a) * below[i]);
  const light = (colour) => colour
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ancestors = (node) => (node ? [...ancestors(node.parentElement), node] : []);
  const paper = rgba(getComputedStyle(document.body).backgroundColor);
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    const seen = texts.currentNode.data.trim() && node.getClientRects().length
      && !node.closest('.unseen, .skip, title, script, style, noscript, option, :disabled');
    if (!seen) continue;
    const style = getComputedStyle(node);
    if (style.visibility === 'hidden') continue;
    const chain = ancestors(node);
    const alpha = chain.reduce((all, one) => all * Number(getComputedStyle(one).opacity), 1);
    const behind = chain.reduce((below, one) => over(rgba(getComputedStyle(one).backgroundColor), below), paper);
    const ink = rgba(node instanceof SVGElement ? style.fill : style.color);
    const seenInk = over([...ink.slice(0, 3), ink[3] * alpha], behind);
    const [high, low] = [light(seenInk), light(behind)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < (large ? 3 : 4.5)) found.add(`${contrast.toFixed(2)}: ${node.outerHTML.slice(0, 120)}`);
  }
  return [...found];
}"""


def findings(page):
    """Return what axe finds on a page with everything opened, and texts with too little contrast.

    axe looks at the page as it is; contrast is taken in light and dark.
    """
    page.evaluate(OPEN)
    page.evaluate("axe => window.axe || (0, eval)(axe)", AXE)
    found = page.evaluate(FINDINGS)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme} {text}" for text in page.evaluate(FAINT)]
    return found
