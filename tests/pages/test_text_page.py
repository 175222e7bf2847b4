"""The page Text, section by section, with the real engine."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import Dataset
from pages.ui import shelf
from tests.pages.helpers import address, array, bytes_sent, figures, finished, texts


def cards(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def own(texts_: list[str], **more) -> str:
    """Put documents on the shelf as an upload would; return the id."""
    data = Dataset.of(
        np.arange(1.0, len(texts_) + 1)[:, None] * [1.0, 2.0],
        "mine <b>",
        kind="text",
        extra={"documents": np.array(texts_, dtype=np.str_)},
        **more,
    )
    return shelf.put(data)


def test_the_first_screen_shows_ten_named_topics(open_page):
    app = open_page("text")
    assert cards(app)["Documents"] == "609"
    assert float(cards(app)["Coherence"]) > 0.25
    bars = figures(app)[0]
    titles = " ".join(note["text"] for note in bars["layout"]["annotations"])
    assert len(bars["layout"]["annotations"]) == 10
    assert all(word in titles for word in ("health", "police", "school", "scotland", "ireland", "countries"))
    assert "more coherent than LDA" in texts(app)
    assert bytes_sent(app) < 1_000_000


def test_lambda_reorders_the_words_and_is_kept_in_the_address(open_page):
    app = open_page("text", section="Topics")
    before = figures(app)[0]["layout"]["yaxis"]["ticktext"]
    finished(app.slider(key="lambda").set_value(0.0).run())
    assert figures(app)[0]["layout"]["yaxis"]["ticktext"] != before
    assert address(app)["lambda"] == "0"


def test_a_topic_can_be_named_and_gets_its_suggestion_back(open_page):
    app = open_page("text", section="Topics", topics="4")
    suggested = app.text_input[0].value
    finished(app.text_input[0].set_value("<b>mine</b>").run())
    titles = [note["text"] for note in figures(app)[0]["layout"]["annotations"]]
    assert any("&lt;b&gt;mine" in title for title in titles)
    assert any("&lt;b&gt;mine" in element.proto.body for element in app.get("html"))
    finished(app.text_input[0].set_value("").run())
    assert suggested in str(figures(app)[0]["layout"]["annotations"])
    assert app.text_input[0].value == suggested


def test_a_link_restores_section_and_number_of_topics(open_page):
    app = open_page("text", section="Groups", topics="6", groups_by="dominant")
    table = figures(app)[0]
    assert len(table["data"][0]["x"]) == 6 or array(table["data"][0]["x"]).size == 6
    assert {"ARI", "NMI", "AMI"} <= set(cards(app))
    assert "party" in texts(app)


def test_documents_show_their_text_with_coloured_words(open_page):
    app = open_page("text", section="Documents", find="number", document="1")
    assert any("nmf-text" in element.proto.body and "Health" in element.proto.body for element in app.get("html"))
    assert "half of the words" in texts(app)


def test_search_lists_documents(open_page):
    app = open_page("text", section="Documents", find="search", search="nurses hospital")
    assert "documents hold all these words" in texts(app)
    app = open_page("text", section="Documents", find="search", search="qqqq")
    assert "No document holds" in texts(app)


def test_time_and_labels_have_intervals(open_page):
    app = open_page("text", section="Time and labels")
    lines, dots = figures(app)
    assert any(trace.get("fill") == "toself" for trace in lines["data"])
    assert all("error_x" in trace for trace in dots["data"])
    assert "bootstrap" in texts(app)
    app = open_page("text", section="Time and labels", measure="led")
    assert "Wilson" in texts(app)


@pytest.mark.parametrize("what", ["document", "topic", "label"])
def test_summaries_stand_beside_lead_and_random(open_page, what: str):
    app = open_page("text", section="Summaries", summary_of=what, summary_length="2")
    scores = array(figures(app)[0]["data"][0]["x"])
    assert len(scores) == 4
    assert "Sentences chosen by NMF say more of the whole" in texts(app)


def test_new_text_gets_topics_and_neighbours(open_page):
    app = open_page("text", section="New text")
    assert int(cards(app)["Known words"]) > 10
    assert "get their own topic shares back" in texts(app)
    area = next(area for area in app.text_area if area.label == "Text")
    finished(area.set_value("zzzz qqqq").run())
    assert "holds none of the words" in texts(app)


def test_words_show_what_each_rule_drops(open_page):
    app = open_page("text", section="Words", own_words="debate")
    rules = app.dataframe[0].value
    assert rules["rule"].tolist()[0] == "stop words"
    assert rules["rule"].tolist()[-1] == "kept"
    assert "debate" not in rules["most frequent of them"].iloc[-1]
    assert "mean NPMI" in texts(app)


def test_counts_without_text_work_and_say_what_is_missing(open_page):
    app = open_page("text", text_data="text_reuters395", section="Groups")
    assert cards(app)["Documents"] == "395"
    app = open_page("text", text_data="text_reuters395", section="Summaries")
    assert "no running text" in texts(app)
    app = open_page("text", text_data="text_reuters395", section="Documents")
    assert "no running text" in texts(app)


EVIL = '<img src=x onerror="alert(1)"> ![x](http://x.example/y.png) :red[x] $a$'


def test_a_small_upload_with_hostile_text_is_shown_literally(open_page):
    documents = [f"{EVIL} apples pears plums orchard tree", "apples pears plums harvest tree"] * 3
    documents += ["ships harbour sailors waves", f"ships harbour sailors storm {EVIL}"] * 3
    data = own(documents, rows=[f"{EVIL} {i}" for i in range(12)], labels={EVIL: np.array(["fruit", "sea"]).repeat(6)})
    for section in ("Topics", "Documents", "Groups", "Time and labels", "Summaries", "New text", "Words"):
        app = open_page("text", text_data=data, section=section, topics="2")
        assert cards(app)["Documents"] == "12"
        shown = texts(app)
        assert "<img" not in shown.replace("\\<img", "")
        assert "![x](http" not in shown
        for element in app.get("html"):
            assert "<img" not in element.proto.body


@pytest.mark.parametrize(
    ("documents", "sentence"),
    [
        (["the of and", "and the of"], "at least 2 are needed"),
        (["one single document about apples and pears"], "at least 2 are needed to see topics"),
        (["", ""], "the documents hold none"),
    ],
)
def test_hopeless_documents_get_a_sentence(open_page, documents: list[str], sentence: str):
    app = open_page("text", text_data=own(documents))
    assert sentence in texts(app)
    assert not app.exception


def test_sparser_topics_are_sparser_and_one_topic_is_no_comparison(open_page):
    app = open_page("text", section="Groups", text_alpha="1e-05", topics="5")
    assert not app.exception
    assert "hold nothing" not in texts(app)
    app = open_page("text", section="Time and labels", topics="1")
    assert "With one topic" in texts(app)


def test_two_documents_are_enough(open_page):
    data = own(["apples pears plums and apples", "ships sail over the waves and ships"])
    for section in ("Topics", "Documents", "Groups", "New text", "Words", "Summaries"):
        app = open_page("text", text_data=data, section=section)
        assert cards(app)["Documents"] == "2"
