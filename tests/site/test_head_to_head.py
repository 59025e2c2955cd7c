"""Two methods side by side: the browser's numbers are NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect


def draws(seed, count):
    """mulberry32, written a second time."""
    state = (np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x6D2B79F5)) % np.uint64(2**32)  # fmt: skip
    state = state.astype(np.uint32)
    t = (state ^ (state >> 15)) * (state | np.uint32(1))
    t ^= t + (t ^ (t >> 7)) * (t | np.uint32(61))
    return (t ^ (t >> 14)).astype(np.float64) / 2**32


def expected_difference(made, first, second, category, score):
    """Value and 95 % interval of a difference, from the numbers as they are stored."""
    at = made.categories.index(category)
    hoa = "hoa" in score
    counted = made.areas[category][:, 1 if hoa else 0] > 0
    part = slice(at * made.each, (at + 1) * made.each)
    stored = [np.rint(65535 * made.scores_of(slug, score)[part]) / 65535 for slug in (first, second)]  # fmt: skip
    used = np.where(counted, stored[0] - stored[1], 0.0)
    drawn = np.floor(draws(at, 1000 * made.each) * made.each).astype(int).reshape(1000, made.each)
    means = used[drawn].sum(axis=1) / np.maximum(counted[drawn].sum(axis=1), 1)
    return used.sum() / counted.sum(), *np.percentile(means, [2.5, 97.5])


def number(text):
    return float(text.replace("\u2212", "-"))


def test_head_to_head_has_the_numbers_that_numpy_has(world, page_at):
    page = page_at(world.folder, "index.html#view=compare&score=mPAP_hoa&a=method-2&b=method-1")
    page.wait_for_selector('[data-pair="method-2|method-1"]')
    page.locator(".comparison .numbers").first.locator("summary").click()
    rows = page.locator(".comparison .numbers table").first.locator("tbody tr")
    assert rows.count() == len(world.categories)
    for row in rows.all():
        name, value, interval = row.locator("th, td").all_inner_texts()
        low, high = interval.split(" to ")
        expected = expected_difference(world, "method-2", "method-1", name, "PAP_hoa")
        assert [number(t) for t in (value, low, high)] == pytest.approx([100 * e for e in expected], abs=0.0051)  # fmt: skip


def test_head_to_head_overall_uses_the_precomputed_interval(world, page_at):
    page = page_at(world.folder, "index.html#view=compare")
    page.wait_for_selector('[data-pair="method-0|method-1"]')
    summary = world.board["summary"]["mPAP"]
    text = page.locator(".comparison .summary").inner_text()
    assert f"+{100 * summary['difference']:.2f} points" in text
    assert f"95 % interval +{100 * summary['low']:.2f} to +{100 * summary['high']:.2f}" in text
    page.get_by_role("button", name="Swap").click()
    page.wait_for_selector('[data-pair="method-1|method-0"]')
    assert f"\u2212{100 * summary['difference']:.2f} points" in page.locator(".comparison .summary").inner_text()  # fmt: skip


def test_head_to_head_lists_the_samples_that_disagree_most(world, page_at):
    page = page_at(world.folder, "index.html#view=compare")
    page.wait_for_selector('[data-pair="method-0|method-1"]')
    page.locator("details.all-samples summary").click()
    rows = page.locator("details.all-samples tbody tr")
    first = rows.first.locator("th, td").all_inner_texts()
    differences = world.scores_of("method-0") - world.scores_of("method-1")
    worst = int(np.argmax(np.abs(differences)))
    assert first[0] == f"{world.categories[worst // world.each]}/{worst % world.each:03d}"
    assert number(first[-1]) == pytest.approx(100 * differences[worst], abs=0.01)


def test_every_cell_of_the_pictured_samples_has_a_picture(world, page_at):
    page = page_at(world.folder, "index.html#view=compare")
    page.wait_for_selector('[data-pair="method-0|method-1"]')
    rows = page.locator(".comparison .scroll:has(.overlay-place) tbody tr")
    assert rows.count() == 3
    rows.last.scroll_into_view_if_needed()
    expect(page.locator("canvas.overlay")).to_have_count(6)
    assert page.locator(".overlay-legend:visible").count() == 1
