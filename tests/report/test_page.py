"""The page in a real browser: phone and desk, light and dark."""

from pathlib import Path
from typing import Any

import pytest

from compress.report import write_report

OPEN_ALL = "document.querySelectorAll('details').forEach(d => d.open = true)"
TOO_WIDE = """
[...document.querySelectorAll('body *')].filter(e => !e.closest('pre') && !e.closest('.skip') && !e.closest('thead'))
  .filter(e => { const r = e.getBoundingClientRect(); return r.width && (r.right > innerWidth + 1 || r.left < -1); })
  .map(e => e.tagName + '.' + (e.getAttribute('class') || '') + ': ' + e.textContent.slice(0, 40))
"""
# WCAG 2.2: contrast = (L1 + 0.05) / (L2 + 0.05) of relative luminances; text needs 4.5.
FAINT = """(() => {
  const parse = c => { const [r, g, b, a = 1] = c.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => { while (e) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c;
    e = e.parentElement; } return [255, 255, 255, 1]; };
  const faint = [];
  for (const e of document.querySelectorAll('body *')) {
    const words = [...e.childNodes].filter(n => n.nodeType === 3 && n.textContent.trim());
    if (!words.length || e.closest('style')) continue;
    const style = getComputedStyle(e), color = parse(e.closest('svg') ? style.fill : style.color);
    const [a, b] = [luminance(color), luminance(behind(e))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.push(contrast.toFixed(2) + ' ' + e.tagName + ' ' + words[0].textContent.trim());
  }
  return faint;
})()"""
SMALLEST_TEXT = """Math.min(...[...document.querySelectorAll('body *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length)
  .map(e => parseFloat(getComputedStyle(e).fontSize) * (e.closest('svg')
    ? e.closest('svg').getBoundingClientRect().width / e.closest('svg').viewBox.baseVal.width : 1)))"""
COLLIDING_LABELS = """[...document.querySelectorAll('svg')].flatMap(svg => {
  const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
  const wide = (x, y) => Math.min(x.right, y.right) - Math.max(x.left, y.left) > 1;
  const high = (x, y) => Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top) > 3;
  return boxes.flatMap(([a, x], i) =>
    boxes.slice(i + 1).filter(([, y]) => wide(x, y) && high(x, y)).map(([b]) => a + ' / ' + b));
})"""


@pytest.fixture
def page(report: dict[str, Any], tmp_path: Path) -> Path:
    report["task"]["name"] = "a_task_with_a_name_that_is_much_longer_than_anybody_would_ever_wish_for"
    report["environment"]["cpu"] = "x" * 200
    report["recipe"]["command"] += " --set training.some_very_long_key=1" * 5
    report["programs"]["ticket"]["leftover_ops"]["quantized_decomposed::" + "dequantize_" * 12] = 3
    return write_report(report, tmp_path).html


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 921, 1280])
def test_the_page_fits_reads_and_asks_for_nothing(browser: Any, page: Path, width: int, dark: bool) -> None:
    browser.open(page, width=width, dark=dark)
    browser.evaluate(OPEN_ALL)
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(TOO_WIDE) == []
    assert browser.evaluate(FAINT) == []
    assert browser.evaluate(COLLIDING_LABELS) == []
    assert browser.evaluate(SMALLEST_TEXT) >= (9 if width >= 390 else 7)
    requests = [e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"]
    assert requests == [page.as_uri()]
    assert not [event for event in browser.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")]


def test_dark_and_light_differ_in_page_and_plots(browser: Any, page: Path) -> None:
    read = "[document.body, document.querySelector('svg text')].map(e => getComputedStyle(e))"
    colors = []
    for dark in (False, True):
        browser.open(page, width=1280, dark=dark)
        colors.append(browser.evaluate(f"{read}.map((style, i) => i ? style.fill : style.backgroundColor)"))
    assert all(light != dark for light, dark in zip(*colors, strict=True))


def test_tables_stay_tables_on_a_phone(browser: Any, page: Path) -> None:
    """Cards by CSS must not cost screen readers the table: Chromium's accessibility tree still has its cells."""
    browser.open(page, width=390, dark=False)
    browser.call("Accessibility.enable")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node["ignored"]]
    browser.call("Accessibility.disable")
    assert roles.count("table") >= 3 and roles.count("rowheader") >= 8 and roles.count("cell") >= 40
