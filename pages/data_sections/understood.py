"""What was understood of a file: the verdict, what was noted, what can be chosen differently, what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from nmf_core.ingest import Question, Raw, Reading, Verdict
from pages.ui import uploads
from pages.ui.widgets import md

ROWS_SHOWN, COLUMNS_SHOWN = 5, 12
#: Decided below as preparation steps, in sight and with their effect.
VALUES = ("missing", "negative", "infinite")


def show(upload: uploads.Upload) -> None:
    """Draw the outcome of a reading and let the visitor choose differently."""
    reading = upload.reading
    name = md(upload.files[0][0] if len(upload.files) == 1 else reading.name, 80)
    if reading.verdict is Verdict.REFUSE:
        st.error(f"**{name}** was not read. {md(reading.sentence, 900)}", icon=":material/error:")
        asked = [q for q in reading.questions if q.id not in VALUES]
        offers = [q for q in asked if _is_offer(q)]
        _offer(upload, offers)
        rest = [q for q in asked if q not in offers]
        if rest and offers:
            with st.expander("Change how the file is read", icon=":material/tune:"):
                _choose(upload, rest, "")
        elif rest:
            _choose(upload, rest, "This can be chosen:")
        st.caption("Your earlier data and results are still there.")
        return
    shape = f" — {reading.raw.shape[0]:,} rows × {reading.raw.shape[1]:,} columns" if reading.raw else ""
    asked = [q for q in reading.open if q.id not in VALUES]
    if asked:
        st.warning(
            f"**{name}** ({md(reading.format)}){shape}. A choice is yours before it can be used.",
            icon=":material/help:",
        )
        _choose(upload, asked, "Please choose:")
    else:
        st.success(f"**{name}** was read ({md(reading.format)}){shape}.", icon=":material/check_circle:")
    notes = [n for n in reading.notes if not n.code.startswith("step-")]
    if asked and reading.raw is not None:
        _preview(reading.raw)
    if notes:
        st.markdown(
            "\n".join(f"- {md(note.text, 500)}" + (" *(can be changed)*" if note.question else "") for note in notes)
        )
    settled = [q for q in reading.questions if not q.required and q.id not in VALUES]
    if settled:
        with st.expander("Change how the file was read", icon=":material/tune:"):
            _choose(upload, settled, "")


def _is_offer(question: Question) -> bool:
    """Tell whether a refused file can be read after all, in part, by saying so."""
    return not question.multiple and question.default == "refuse" and len(question.options) == 2


def _offer(upload: uploads.Upload, offers: Sequence[Question]) -> None:
    """Draw a button for each offer: one click takes it."""
    with st.container(horizontal=True):
        for question in offers:
            option = next(o for o in question.options if o.value != "refuse")
            if st.button(
                md(option.label, 120),
                type="primary",
                icon=":material/content_cut:",
                key=f"offer_{upload.digest}_{question.id}",
            ):
                uploads.answer({**upload.reading.choices, question.id: option.value})
                st.rerun()


def _preview(raw: Raw) -> None:
    """Draw the first rows as the preset answers make them: what a choice means is seen before it is made."""
    X = raw.X[:ROWS_SHOWN, :COLUMNS_SHOWN]
    X = X.toarray() if raw.sparse else X
    index = pd.Index([str(name) for name in raw.rows[:ROWS_SHOWN]])
    st.dataframe(pd.DataFrame(X, index=index, columns=[str(name) for name in raw.cols[:COLUMNS_SHOWN]]))
    n, m = raw.shape
    more = f", and {m - COLUMNS_SHOWN:,} more columns" if m > COLUMNS_SHOWN else ""
    shown = f"The first {ROWS_SHOWN} of {n:,} rows" if n > ROWS_SHOWN else f"All {n:,} rows"
    st.caption(f"{shown} with the answers preset above{more}.")


def usable(reading: Reading) -> bool:
    """Tell whether nothing but the values is left to decide."""
    return (
        reading.raw is not None
        and reading.verdict is not Verdict.REFUSE
        and not [q for q in reading.open if q.id not in VALUES]
    )


def _choose(upload: uploads.Upload, questions: Sequence[Question], title: str) -> None:
    given = upload.reading.choices
    with st.form(f"choices_{upload.digest}_{questions[0].id}", border=bool(title)):
        if title:
            st.markdown(f"**{title}**")
        answers: dict[str, Any] = {}
        for question in questions:
            key = f"choice_{upload.digest}_{question.id}"
            answers[question.id] = _ask(question, given.get(question.id), key)
        if st.form_submit_button("Read it this way", type="primary" if title else "secondary"):
            changed = {
                k: v
                for k, v in answers.items()
                if v is not None and (k in given or v != _plain_default(k, questions) or title)
            }
            uploads.answer({**given, **changed})
            st.rerun()


def _plain_default(id: str, questions: Sequence[Question]) -> Any:
    default = next(q.default for q in questions if q.id == id)
    return list(default) if isinstance(default, tuple) else default


def _ask(question: Question, given: Any, key: str) -> Any:
    values = [option.value for option in question.options]
    labels = {option.value: option.label for option in question.options}
    text = md(question.text, 600)
    if question.multiple:
        default = given if isinstance(given, (list, tuple)) else question.default
        kept = [value for value in default if value in values]
        return st.multiselect(text, values, kept, format_func=lambda v: labels[v][:80], key=key)
    start = given if given in values else question.default
    index = values.index(start) if start in values else 0
    if len(values) <= 6:
        return st.radio(text, values, index, format_func=lambda v: md(labels[v], 160), key=key)
    return st.selectbox(text, values, index, format_func=lambda v: labels[v][:120], key=key)
