"""What a reader does on the pages, and what is then seen."""

from __future__ import annotations

VIEWS = (
    "ranking", "categories", "intervals", "matrix", "curves", "scatter", "trend", "samples", "compare",
)  # fmt: skip


def shown(page):
    """The slugs of the rows that are shown, in order."""
    return page.eval_on_selector_all(
        "section.board:not([hidden]) table.ranking tbody tr:not([hidden])",
        "rows => rows.map(r => r.dataset.slug)",
    )


def column(page, key):
    """The numbers of a score column, in percent."""
    cells = page.locator(
        f'section.board:not([hidden]) tr:not([hidden]) td[data-score="{key}"] .value'
    )
    return [float(text) for text in cells.all_inner_texts()]


def tab(page, name):
    page.get_by_role("tab", name=name).click()


def choose(page, label):
    return page.get_by_role("combobox", name=label, exact=True).locator("visible=true")


def sort(page, name):
    page.locator("section.board:not([hidden]) [role=tabpanel]:not([hidden]) thead").get_by_role(
        "button", name=name, exact=True
    ).click()


def sideways(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def picture(page):
    """The pixels of the 3D view: a checksum, and how many are the field's orange."""
    return page.evaluate(
        """() => {
      const from = document.querySelector('.stage canvas');
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [from.width, from.height];
      const context = canvas.getContext('2d');
      context.drawImage(from, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let sum = 0, orange = 0;
      for (let i = 0; i < data.length; i += 4) {
        sum = (Math.imul(sum, 31) + data[i] + 256 * data[i + 1] + 65536 * data[i + 2] + data[i + 3]) >>> 0;
        if (data[i + 3] > 100 && data[i] > 150 && data[i] > 2 * data[i + 2]) orange += 1;
      }
      return [sum, orange];
    }"""
    )
