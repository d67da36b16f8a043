from __future__ import annotations

import re
from html.parser import HTMLParser

from load_tests.report.page import load_about, result_page
from load_tests.results import Outcome, Ratio, Run, Second, Side, TargetFacts, TreeSample
from tests.unit.load_tests.test_progress import result_of
from tests.unit.load_tests.test_results import run

PEAK, THEIRS = Side(target="ours", load="peak"), Side(target="theirs", load="peak")


class Page(HTMLParser):
    """What stands in a page: tags with their attributes, and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]

    def handle_data(self, data):
        if data.strip():
            self.words.append(data.strip())


def full_run(side: Side, number: int, **changed: object) -> Run:
    second = Second(at_s=0, intended=9, good=8, answered=8, p50_ms=1, p99_ms=2, errors={"status 503": 1})
    tree = TreeSample(at_s=0.5, processes={"TextReader": 1}, cpu_cores=1, memory_mib=1)
    fields = {
        "concurrency": 16,
        "seconds": (second, second.model_copy(update={"at_s": 1.0})),
        "tree": (tree,),
        "server_timing_ms": {"read.compute": 0.5},
        "cpu_ms": {"TextReader": 2.0, "raylet": 3.0},
    }
    return run(side, number, **(fields | changed))


def test_a_page_has_every_chart_and_needs_nothing_beside_itself() -> None:
    page = Page(result_page(result_of(full_run(PEAK, 0), full_run(PEAK, 1), full_run(THEIRS, 0))))
    assert page.tags.count("svg") == 7
    assert {"script", "link", "img", "iframe"}.isdisjoint(page.tags)
    named = [value for _, name, value in page.attributes if name in ("src", "href", "xlink:href")]
    assert [value for value in named if not value.startswith("#")] == []
    for words in ("Replicas over time", "Errors over time", "Throughput over time", "status 503", "read", "TextReader"):
        assert any(words in said for said in page.words), words


def test_a_page_names_the_commit_and_the_machine() -> None:
    result = result_of(full_run(PEAK, 0)).model_copy(
        update={"commit": "abcdef0123" * 4 + "+", "versions": {"ray": "2"}}
    )
    words = Page(result_page(result)).words
    assert {"abcdef0123ab+", "one", "Linux", "2026-01-01 00:00 UTC", "ray", "2"} <= set(words)


def test_thresholds_say_whether_they_held() -> None:
    ratio = Ratio(metric="p99_ms", of=PEAK, to=THEIRS, rounds=(1.0, 3.0), median=2.0, lowest=1.0, highest=3.0)
    outcomes = tuple(
        Outcome(says=f"limit {number}", ratio=ratio if held is not None else None, held=held)
        for number, held in enumerate((True, False, None))
    )
    words = Page(result_page(result_of(full_run(PEAK, 0)).model_copy(update={"outcomes": outcomes}))).words
    begins = words.index("limit 0")
    assert words[begins : begins + 10] == [
        "limit 0", "2.00", "1.00 to 3.00", "held", "limit 1", "2.00", "1.00 to 3.00", "broken", "limit 2", "not known",
    ]  # fmt: skip


def test_text_from_elsewhere_is_no_markup() -> None:
    evil = "<script>alert(1)</script>"
    result = result_of(full_run(PEAK, 0, server_timing_ms={f"{evil}.compute": 1.0}, errors={evil: 1}))
    html = result_page(result.model_copy(update={"name": evil, "left_out": {"peer": evil}}))
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 3


def test_a_page_says_how_quickly_refusals_came() -> None:
    words = Page(result_page(result_of(full_run(PEAK, 0)))).words
    assert words[words.index("refused p99 ms") + 1] == "3.0"


def test_a_result_without_runs_is_a_page() -> None:
    assert "Load test: plates" in Page(result_page(result_of())).words


def test_a_run_without_answers_says_why_nothing_is_drawn() -> None:
    histogram = {"first_ms": 0.01, "growth": 1.01, "counts": {}}
    words = Page(result_page(result_of(run(PEAK, 0, concurrency=1, histogram=histogram)))).words
    assert {"no good answer", "no answer", "no errors"} <= set(words)
    assert any("--pid" in said for said in words)


def test_the_costliest_processes_come_first() -> None:
    result = result_of(full_run(PEAK, 0)).model_copy(update={"targets": (TargetFacts(name="ours", about="Us."),)})
    words = Page(result_page(result)).words
    begins = words.index("CPU ms a request, by process: ours")
    assert words[begins + 1 : begins + 6] == ["peak", "raylet", "3.00", "TextReader", "2.00"]


def test_a_load_says_how_it_was_sent() -> None:
    assert load_about([run(PEAK, 0, concurrency=16)]) == "16 client(s) waiting for each answer, 10 s"
    about = load_about([run(PEAK, number, loop="open", offered_rps=4.0) for number in range(2)])
    assert re.match(r"4\.0 requests a second .*, 10 s, 2 rounds", about)
