"""The pages of pretrain, finetune and mrr-compare in a real Chromium: light, dark, on a phone, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from genomecli.analysis.task_report import write_task_report
from genomecli.cli import main
from tests.browser import Browser, needs_chromium
from tests.integration.test_mrr_compare import QUICK
from tests.unit.analysis.compare_toys import write_run, write_species_corpus
from tests.unit.analysis.task_toys import judged, results
from tests.unit.training.disk_corpus import write_disk_corpus

PAGES = ("pretrain", "finetune", "mrr-compare")
TRAINING = [
    *("device=cpu", "precision=fp32", "threads=1", "pretrain.model.preset=null", "pretrain.model.layers=1"),
    *("pretrain.model.width=32", "pretrain.model.heads=2", "pretrain.model.context=64", "pretrain.steps=6"),
    *("pretrain.reading.context=64", "pretrain.reading.tokens_per_batch=512", "pretrain.log_every=2"),
    *("pretrain.reading.tokens_per_step=512", "pretrain.reading.pool=4", "pretrain.validate_every=2"),
]
COMPARED = [*QUICK, "mrr-compare.frames=[0]", "mrr-compare.layers=[0, 1]", "mrr-compare.codes=[1, 12]"]


def run(command: str, out: Path, arguments: list[str], sets: list[str]) -> Path:
    words = [command, *arguments, "-o", str(out), *(part for text in sets for part in ("--set", text))]
    assert main(words) == 0
    return out / "index.html"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One page a command, small, with a long name that a phone has to break."""
    needs_chromium()
    folder = tmp_path_factory.mktemp("pages")
    texts = write_disk_corpus(folder / "texts")
    trained = run("pretrain", folder / "run", ["--corpus", str(texts)], TRAINING)
    classes = ("helix", "sheet", "a_class_with_a_name_as_long_as_names_in_tables_may_become")
    write_task_report(results(judged("multiclass", classes, trials=3), trials="seeds"), folder, dpi=50)
    corpus = write_species_corpus(folder / "corpus", {"alpha": 12, "beta": 1}, genes=63)
    write_run(folder / "net", ["alpha", "beta"], corpus, code=12, noise=0.1)
    compared = run("mrr-compare", folder / "compared", [str(folder / "net")], COMPARED)
    return {"pretrain": trained, "finetune": folder / "index.html", "mrr-compare": compared}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    needs_chromium()
    with Browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.mark.parametrize("name", PAGES)
def test_all_figures_are_there_nothing_is_fetched_and_the_console_is_silent(pages, browser, name, tmp_path):
    browser.open(pages[name])
    widths = browser.ask("[...document.images].map((image) => image.naturalWidth)")
    assert len(widths) >= 2
    assert min(widths) > 100
    assert browser.ask("[...document.images].every((image) => image.alt.length > 40)")
    assert browser.said == []
    assert browser.asked == [pages[name].resolve().as_uri()]
    browser.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_the_page_without_scrolling_sideways(pages, browser, name):
    """Wide tables and figures scroll in boxes of their own; captions stay in sight."""
    browser.open(pages[name], width=390, height=844)
    browser.ask("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.ask("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]
    beyond = browser.ask(
        "[...document.querySelectorAll('main *, header *')].filter((one) => !one.closest('.scroll, .frame')"
        " && one.getBoundingClientRect().right > innerWidth + 0.5).map((one) => one.outerHTML.slice(0, 80))"
    )
    assert beyond == []
    wide = browser.ask(
        "[...document.querySelectorAll('caption span')].map((one) => one.getBoundingClientRect().right)"
    )
    assert max(wide) <= 390


CONTRAST = """(() => {
  const channel = (x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4);
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const found = parts(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const one of document.querySelectorAll("body *")) {
    const said = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!said || one.tagName === "SCRIPT") continue;
    const [a, b] = [light(parts(getComputedStyle(one).color)), light(ground(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push([one.outerHTML.slice(0, 80), ratio]);
  }
  return low;
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_text_can_be_told_from_what_is_behind_it(pages, browser, name, scheme):
    browser.open(pages[name], scheme=scheme)
    browser.ask("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.ask(CONTRAST) == []
    dark = browser.ask("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("name", PAGES)
def test_paper_is_black_on_white_whatever_the_screen_and_shows_what_is_folded(pages, browser, name, tmp_path):
    browser.open(pages[name], scheme="dark", media="print")
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.ask("getComputedStyle(document.querySelector('nav')).display") == "none"
    folded = "[...document.querySelectorAll('details:not(.values)')].filter((one) => one.open).length"
    whole = browser.ask("document.querySelectorAll('details:not(.values)').length")
    assert browser.ask(f"dispatchEvent(new Event('beforeprint')), {folded}") == whole > 0
    assert browser.ask(f"dispatchEvent(new Event('afterprint')), {folded}") == 0
    browser.paper(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


PLACES = (
    "[...document.querySelectorAll('figure')].map((one) => { const box = one.querySelector('img')"
    ".getBoundingClientRect(); return [one.querySelector('.both') !== null, box.left + scrollX + 3,"
    " box.top + scrollY + 3]; })"
)


@pytest.mark.parametrize(("scheme", "media"), [("light", "screen"), ("dark", "screen"), ("dark", "print")])
@pytest.mark.parametrize("name", PAGES)
def test_figures_are_dark_on_dark_pages_alone(pages, browser, name, scheme, media, tmp_path):
    from PIL import Image

    browser.open(pages[name], scheme=scheme, media=media)
    browser.picture(tmp_path / "page.png")
    shown = Image.open(tmp_path / "page.png").convert("RGB")
    places = browser.ask(PLACES)
    assert any(both for both, _, _ in places)
    for both, x, y in places:
        dark = both and scheme == "dark" and media == "screen"
        assert shown.getpixel((round(x), round(y))) == ((20, 24, 27) if dark else (255, 255, 255))


COLUMN = "[...document.querySelector('{table}').tBodies[0].rows].map((row) => row.cells[{place}].textContent)"


def test_a_click_on_a_heading_orders_the_rows_and_the_keyboard_does_too(pages, browser):
    browser.open(pages["mrr-compare"])
    table, place = "#results table.sortable", 3  # the MRR; the only run has no column
    assert browser.ask(f"document.querySelector('{table} th:nth-child({place + 1})').textContent") == "MRR"
    column = COLUMN.format(table=table, place=place)
    before = browser.ask(column)
    head = f"document.querySelector('{table} th:nth-child({place + 1})')"
    assert browser.ask(f"{head}.hasAttribute('aria-sort')") is False
    browser.ask(f"{head}.scrollIntoView({{block: 'center'}})")
    x, y, width, height = browser.ask(
        f"(() => {{ const box = {head}.querySelector('button').getBoundingClientRect();"
        " return [box.left, box.top, box.width, box.height]; })()"
    )
    browser.point(x + width / 2, y + height / 2, click=True)
    assert browser.ask(f"{head}.getAttribute('aria-sort')") == "ascending"
    assert browser.ask(column) == sorted(before, key=float)
    assert browser.ask(column) != before
    browser.key("Enter")  # the button has the focus
    assert browser.ask(f"{head}.getAttribute('aria-sort')") == "descending"
    assert browser.ask(column) == sorted(before, key=float, reverse=True)
    browser.key("Enter")
    assert browser.ask(f"{head}.hasAttribute('aria-sort')") is False
    assert browser.ask(column) == before
    assert browser.said == []


def test_rows_are_ordered_by_value_and_what_is_absent_comes_last(pages, browser):
    """Thousands, percentages, exponents, intervals and units; columns with words are ordered as words."""
    browser.open(pages["mrr-compare"])
    cells = ["1\u202f200", "–", "30 %", "2e-3", "0.5 (0.4 to 0.6)", "", "2.5 k", "−4"]
    made = "".join(
        f"<tr><td>{cell}</td><td>{name}</td></tr>" for cell, name in zip(cells, "hgfedcba", strict=True)
    )
    # The page's own script is run again on a table of our own; its policy allows no other.
    script = "document.querySelector('body > script').textContent"
    browser.ask(
        'document.body.innerHTML = \'<table class="sortable"><thead><tr><th>a</th><th>b</th></tr></thead>'
        f"<tbody>{made}</tbody></table><script>' + {script} + '</script>'"
    )
    browser.call("Page.setBypassCSP", enabled=True)
    browser.ask("(0, eval)(document.querySelector('script').textContent)")
    column = COLUMN.format(table="table", place=0)
    press = "document.querySelectorAll('th button')[{}].click()"
    browser.ask(press.format(0))
    up = ["−4", "2e-3", "0.5 (0.4 to 0.6)", "30 %", "1\u202f200", "2.5 k", "–", ""]
    assert browser.ask(column) == up
    browser.ask(press.format(0))
    assert browser.ask(column) == [*reversed(up[:6]), "–", ""]
    browser.ask(press.format(1))
    assert browser.ask(COLUMN.format(table="table", place=1)) == list("abcdefgh")
    assert browser.ask(
        "[...document.querySelectorAll('th')].map((one) => one.getAttribute('aria-sort'))"
    ) == [
        None,
        "ascending",
    ]
    browser.call("Page.setBypassCSP", enabled=False)


def test_a_heat_map_tells_the_value_under_the_pointer_and_under_the_arrow_keys(pages, browser):
    browser.open(pages["mrr-compare"])
    figure = "document.querySelector('figure[id^=\"fig-heat_map\"]')"
    browser.ask(f"{figure}.querySelector('.cells').scrollIntoView({{block: 'center'}})")
    x, y, width, height = browser.ask(
        f"(() => {{ const box = {figure}.querySelector('.cells').getBoundingClientRect();"
        " return [box.left, box.top, box.width, box.height]; })()"
    )
    names, letters, values = browser.ask(
        f"(() => {{ const table = {figure}.querySelector('table');"
        " const rows = [...table.tBodies[0].rows];"
        " return [rows.map((row) => row.cells[0].textContent),"
        " [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent),"
        " rows.map((row) => [...row.cells].slice(1).map((cell) => cell.textContent))]; })()"
    )
    reading = f"{figure}.querySelector('.reading')"
    assert browser.ask(f"{reading}.hidden") is True
    for row, column in ((30, 4), (31, 19)):
        browser.point(x + (column + 0.5) * width / len(letters), y + (row + 0.5) * height / len(names))
        wanted = f"{names[row]} – {letters[column]}: {values[row][column]}"
        assert browser.ask(f"{reading}.textContent") == wanted
        assert browser.ask(f"{reading}.hidden") is False
    browser.point(5, 5)
    assert browser.ask(f"{reading}.hidden") is True
    browser.ask(f"{figure}.querySelector('.cells').focus()")
    browser.key("ArrowUp")
    assert browser.ask(f"{reading}.textContent") == f"{names[30]} – {letters[19]}: {values[30][19]}"
    assert browser.ask(f"{reading}.tagName") == "OUTPUT"  # which is read aloud when it changes
    assert browser.said == []
