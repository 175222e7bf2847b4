"""Pictures of topics and documents: the numbers in them, safe names, and a light weight on the wire."""

from __future__ import annotations

import json
from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from nmf_core.figures.palette import component_colors
from nmf_core.figures.text_coloured import coloured_html, legend_html, sentences_html
from nmf_core.figures.text_documents import GroupTable, TopicShares
from nmf_core.figures.text_opinion import TwoOpinions
from nmf_core.figures.text_prevalence import TopicsByLabel, TopicsOverTime
from nmf_core.figures.text_summary import SummaryScores
from nmf_core.figures.text_topics import PANELS, RelevantWords, TopicMap, TopicWords
from nmf_core.lenses.text.clusters import cross_table
from nmf_core.lenses.text.prevalence import prevalence
from nmf_core.lenses.text.running_text import Piece
from nmf_core.lenses.text.second_opinion import match_topics
from nmf_core.lenses.text.summary import gather, summarize
from nmf_core.lenses.text.topic_map import jensen_shannon, spread_map
from nmf_core.lenses.text.topics import Topics
from nmf_core.lenses.text.words import WordRules

EVIL = '<img src=x onerror="alert(1)"> <a href="http://x">%{y} $x$</a>'


def model(rank: int, n_words: int = 40, n_documents: int = 30, seed: int = 0) -> Topics:
    rng = np.random.default_rng(seed)
    words = np.array([f"word{j}" for j in range(n_words)])
    words[0] = EVIL[:40]
    W, H = rng.random((n_documents, rank)), rng.dirichlet(np.full(n_words, 0.1), rank)
    H[:, 0] += 0.5  # the evil word leads every topic
    return Topics.of(W, H, W @ H, words)


@cache
def pictures(rank: int, n_words: int = 40, n_documents: int = 30) -> list[Any]:
    topics = model(rank, n_words, n_documents)
    colors = component_colors(rank)
    distances = jensen_shannon(topics.words)
    flat = spread_map(distances)
    codes = np.arange(n_documents) % 3
    found = prevalence(topics.shares, codes, (EVIL, "b", "c"), draws=50)
    shown = tuple(range(min(rank, 4)))
    other = model(rank, n_words, n_documents, seed=1)
    score = np.linspace(0, 0.4, rank)
    text = "Schools need teachers and roofs. Roads need tar and workers. Ships need harbours and sailors."
    return [
        TopicWords(topics, colors, score),
        RelevantWords(topics, 0, colors[0]),
        TopicMap(topics, colors, flat.xy, flat.stress, distances),
        TopicShares(topics.names, colors, topics.shares[:5], (EVIL, "b", "c", "d", "e")),
        GroupTable(cross_table(codes, np.array([EVIL, "x"])[codes % 2], ("a", EVIL, "c")), EVIL),
        TopicsOverTime(found, topics.names, colors, shown),
        TopicsByLabel(found, topics.names, colors, shown),
        TwoOpinions(topics, other, colors, score, score[::-1], match_topics(topics, other)),
        SummaryScores(summarize(gather([text], [0], WordRules()), 1, 0.3, draws=20)),
    ]


@pytest.mark.parametrize("index", range(9))
def test_names_from_files_cannot_act(index: int):
    picture = pictures(3)[index]
    spec = json.dumps(picture.build().to_plotly_json(), default=lambda a: np.asarray(a).tolist())
    assert "<img" not in spec
    assert "<a href" not in spec
    assert "%{y} $" not in spec


@pytest.mark.parametrize("index", range(9))
def test_every_picture_has_words_numbers_and_little_weight(index: int):
    picture = pictures(60, 20_000, 300)[index]
    assert len(picture.build().to_json()) < 1_000_000
    assert len(picture.describe()) > 30
    assert len(picture.table()) > 0


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_small_models_have_pictures_too(rank: int):
    for picture in pictures(rank):
        assert picture.build().layout.height > 100
        assert picture.describe().endswith(".")


def test_bars_are_weights_split_by_exclusivity():
    topics = model(3)
    figure = TopicWords(topics, component_colors(3), np.zeros(3), n=5).build()
    own, rest = figure.data[0], figure.data[1]
    best = topics.top(5)[0]
    assert np.allclose(own.x + rest.x, topics.words[0, best], atol=1e-6)
    assert np.allclose(own.x, topics.words[0, best] * topics.exclusivity[0, best], atol=1e-6)


def test_topics_turn_over_by_the_dozen():
    topics = model(PANELS + 3)
    colors, zeros = component_colors(PANELS + 3), np.zeros(PANELS + 3)
    assert len(TopicWords(topics, colors, zeros).build().data) == 2 * PANELS
    assert len(TopicWords(topics, colors, zeros, first=PANELS).build().data) == 6


def test_relevance_orders_the_words_in_depth():
    topics = model(3)
    table = RelevantWords(topics, 1, "#000000", weight=0.3, n=10).table()
    assert (np.diff(table["relevance"]) <= 1e-12).all()
    figure = RelevantWords(topics, 1, "#000000", weight=0.3, n=10).build()
    assert np.allclose(figure.data[0].x, table["weight"][:10], atol=1e-6)


def test_area_of_a_circle_is_the_size():
    topics = model(4)
    D = jensen_shannon(topics.words)
    size = TopicMap(topics, component_colors(4), spread_map(D).xy, 0.1, D).build().data[0].marker.size
    assert (np.diff(np.asarray(size)) <= 0).all()


def test_shares_add_up_to_one_with_the_rest():
    topics = model(20)
    figure = TopicShares(topics.names, component_colors(20), topics.shares[:2], ("a", "b")).build()
    assert np.allclose(sum(np.asarray(trace.x) for trace in figure.data), 1, atol=1e-5)
    assert figure.data[-1].name == "other topics"


def test_bands_stop_where_there_is_no_interval():
    shares = np.tile([0.7, 0.3], (9, 1))
    codes = np.array([0, 0, 1, 1, 2, 4, 4, 5, 5])  # period 2 has one document, 3 has none
    found = prevalence(shares, codes, tuple("abcdef"), draws=20)
    figure = TopicsOverTime(found, ("x", "y"), component_colors(2), (0,)).build()
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert [sorted(set(np.asarray(band.x).tolist())) for band in bands] == [[0, 1], [4, 5]]


class Reader(HTMLParser):
    """Reads what a browser would: elements and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags[-1] != "style" or "{" not in data:
            self.text += data


@pytest.mark.parametrize("text", [EVIL, "a & b &lt;b&gt; \"q\" 'p'", "</div></mark><script>alert(1)</script>"])
def test_running_text_stays_text(text: str):
    pieces = [Piece(text, 0, 0.9), Piece(" between ", -1, 0.0), Piece(text, 1, 0.1)]
    reader = Reader()
    reader.feed(coloured_html(pieces, (EVIL, "two"), component_colors(2)))
    assert set(reader.tags) == {"style", "div", "mark"}
    assert reader.text == f"{text} between {text}"
    reader = Reader()
    reader.feed(sentences_html(text, [(2, 5)], "#0072b2"))
    assert reader.text == text
    assert reader.tags == ["style", "div", "mark"]
    reader = Reader()
    reader.feed(legend_html([0], (EVIL,), ("#0072b2",), [0.5]))
    assert set(reader.tags) == {"style", "div", "mark"}


def test_only_wanted_topics_are_marked_and_numbers_are_written():
    pieces = [Piece("a", 0, 0.9), Piece("b", 1, 0.9)]
    made = coloured_html(pieces, ("x", "y"), component_colors(2), numbers=True, only=[1])
    assert made.count("<mark") == 1
    assert "b<sup>2</sup>" in made
    assert "faint" in coloured_html([Piece("a", 0, 0.2)], ("x",), component_colors(1)).split("</style>")[1]


def test_a_long_document_stays_light():
    pieces = [Piece("word", 0, 0.9), Piece(" ", -1, 0.0)] * 50_000
    assert len(coloured_html(pieces, ("x",), component_colors(1))) < 900_000
