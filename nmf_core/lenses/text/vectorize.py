"""From documents to a matrix of documents × words, in steps that show what each of them drops."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import scipy.sparse as sp

from nmf_core.lenses.text.words import FATES, LONGEST, Judge, WordRules, spans, terms
from nmf_core.types import Array, Chunk, Dataset, Stop
from nmf_core.wording import percent

BATCH, CHARACTERS = 500, 300_000  # documents, and about how much text, counted between two looks at the clock


@dataclass(frozen=True, slots=True)
class Dropped:
    """What one rule takes away.

    Attributes
    ----------
    rule : str
        In words.
    words : int
        Different words (or terms) dropped.
    tokens : int
        Their occurrences in the whole corpus.
    examples : tuple of (str, int)
        The most frequent of them with their occurrences.
    """

    rule: str
    words: int
    tokens: int
    examples: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class TextMatrix:
    """A corpus ready to factorize, with all that is needed to treat new text in the same way.

    Attributes
    ----------
    dataset : Dataset
        X of shape (n_documents, n_words): TF-IDF or counts, CSR. ``extra["documents"]`` holds the texts, if any.
    counts : csr_array of shape (n_documents, n_words)
        Occurrences, the basis of coherence and of LDA (the given weights where there are no counts); also in
        ``dataset.extra["counts"]``.
    idf : ndarray of shape (n_words,)
        ln((1 + n) / (1 + df)) + 1, as in scikit-learn; ones for counts.
    rules : WordRules
    dropped : tuple of Dropped
    empty : tuple of int
        Documents with no word left (rows of zeros).
    """

    dataset: Dataset
    counts: Any
    idf: Array
    rules: WordRules
    dropped: tuple[Dropped, ...]
    empty: tuple[int, ...]

    @property
    def documents(self) -> Array | None:
        """The running texts, or None when only counts are known."""
        return self.dataset.extra.get("documents")

    def vector(self, text: str) -> Any:
        """Return new text as a csr_array of shape (1, n_words), weighted as the corpus is."""
        return weigh(self.count(text), self.idf, self.rules)

    def count(self, text: str) -> Any:
        """Return the occurrences of the corpus' words in new text, as a csr_array of shape (1, n_words)."""
        place = {word: j for j, word in enumerate(self.dataset.cols.tolist())}
        words = [word for _, _, word, fate in spans(text, self.rules) if fate == "word"]
        found = Counter(place[t] for t in terms(words, self.rules.ngrams) if t in place)
        order = sorted(found)
        return sp.csr_array(
            (np.array([found[j] for j in order], dtype=np.float64), np.array(order, dtype=np.int32), [0, len(order)]),
            shape=(1, len(place)),
        )


def corpus_digest(documents: Sequence[str] | Array | None) -> str:
    """Return a digest of the texts in order: two corpora with equal counts may differ in their text."""
    h = hashlib.blake2b(digest_size=12)
    for text in documents if documents is not None else ():
        h.update(str(text).encode("utf-8", "surrogatepass"))
        h.update(b"\0")
    return h.hexdigest()


def weigh(counts: Any, idf: Array, rules: WordRules) -> Any:
    """Return counts as the matrix to factorize: TF-IDF rows of Euclidean length 1, or the counts themselves.

    Parameters
    ----------
    counts : csr_array of shape (n, n_words)
    idf : ndarray of shape (n_words,)
    rules : WordRules

    Returns
    -------
    csr_array of shape (n, n_words)
        A row without words stays zero.
    """
    X = sp.csr_array(counts, dtype=np.float64, copy=True)
    if rules.weighting == "counts":
        return X
    if rules.sublinear:
        X.data = 1.0 + np.log(X.data)
    X.data *= idf[X.indices]
    lengths = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1.0
    X.data /= np.repeat(lengths, np.diff(X.indptr))
    return X


@dataclass(frozen=True, slots=True)
class Counted:
    """Every term of the documents so far, before any limit on document frequency.

    ``batches`` hold (counts, terms) of consecutive documents; ``lost`` holds (fate, words, occurrences) of the words
    that are no terms. Arrays rather than mappings: the state travels between processes.
    """

    done: int
    batches: tuple[tuple[Any, Array], ...]
    lost: tuple[tuple[str, Array, Array], ...]


def count_some(documents: Array, rules: WordRules, before: Counted | None, seconds: float) -> Counted:
    """Count terms for about `seconds` more; the cut changes nothing in the result."""
    from sklearn.feature_extraction.text import CountVectorizer

    state = before or Counted(0, (), ())
    lost: dict[str, Counter[str]] = {fate: Counter() for fate in FATES}
    for fate, words, numbers in state.lost:
        lost[fate].update(dict(zip(words.tolist(), numbers.tolist(), strict=True)))
    judge = Judge(rules)

    def analyse(text: str) -> list[str]:
        kept = []
        for raw in judge.pattern.findall(text):
            word, fate = judge[raw]
            if fate == "word":
                kept.append(word)
            else:
                lost[fate][word] += 1
        return terms(kept, rules.ngrams)

    done, batches = state.done, list(state.batches)
    start = perf_counter()
    while done < len(documents):
        batch = _batch(documents, done)
        vectorizer = CountVectorizer(analyzer=analyse, dtype=np.int32)
        try:
            counts = sp.csr_array(vectorizer.fit_transform(batch))
            names = np.asarray(vectorizer.get_feature_names_out(), dtype=np.str_)
        except ValueError:  # scikit-learn's "empty vocabulary": no word in these documents
            counts, names = sp.csr_array((len(batch), 0), dtype=np.int32), np.zeros(0, dtype=np.str_)
        batches.append((counts, names))
        done += len(batch)
        if perf_counter() - start > seconds:
            break
    return Counted(done, tuple(batches), as_arrays(lost))


def _batch(documents: Array, start: int) -> list[str]:
    """Return the next documents, at least one; where batches end depends on the documents alone."""
    batch: list[str] = []
    size = 0
    for text in documents[start : start + BATCH]:
        batch.append(str(text))
        size += len(batch[-1])
        if size >= CHARACTERS:
            break
    return batch


def short_indices(X: Any) -> Any:
    """Return a csr_array with 32-bit indices, which scikit-learn's k-means asks for, where they are enough."""
    if X.nnz < 2**31 and X.indices.dtype != np.int32:
        X = sp.csr_array((X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32)), shape=X.shape)
    return X


def as_arrays(lost: dict[str, Counter[str]]) -> tuple[tuple[str, Array, Array], ...]:
    """Return counters by fate as (fate, words, occurrences), words sorted; empty ones are left out."""
    return tuple(
        (
            fate,
            np.array(sorted(counter), dtype=np.str_),
            np.array([counter[word] for word in sorted(counter)], dtype=int),
        )
        for fate, counter in lost.items()
        if counter
    )


def merge(counted: Counted) -> tuple[Any, Array]:
    """Return all batches as one csr_array (documents × terms) and the terms, sorted."""
    names = np.unique(np.concatenate([np.zeros(0, dtype=np.str_), *(names for _, names in counted.batches)]))
    parts = []
    for counts, batch in counted.batches:
        indices = np.searchsorted(names, batch)[counts.indices] if counts.nnz else np.zeros(0, dtype=np.int64)
        parts.append(sp.csr_array((counts.data, indices, counts.indptr), shape=(counts.shape[0], len(names))))
    return sp.csr_array(sp.vstack(parts, format="csr")) if parts else sp.csr_array((0, len(names))), names


_FATES = {
    "stop": "stop words",
    "short": "fewer than {} letters",
    "long": f"longer than {LONGEST} characters",
    "number": "numbers and words with digits",
}


def choose(
    counts: Any, names: Array, rules: WordRules, lost: tuple[tuple[str, Array, Array], ...] = ()
) -> tuple[Array, tuple[Dropped, ...]]:
    """Apply the limits on document frequency and on the number of words.

    Parameters
    ----------
    counts : csr_array of shape (n_documents, n_terms)
    names : ndarray of str of shape (n_terms,)
    rules : WordRules
    lost : tuple of (fate, words, occurrences)
        What counting already left out.

    Returns
    -------
    keep : ndarray of int
        Columns kept, ascending.
    dropped : tuple of Dropped
        One entry per rule, in the order in which the rules apply.

    Raises
    ------
    ValueError
        When fewer than two words are left; the sentence names the rule that took most.
    """
    n = counts.shape[0]
    df = np.bincount(counts.indices, minlength=len(names))
    total = np.bincount(counts.indices, weights=counts.data, minlength=len(names))
    ceiling = rules.max_df * n
    rare = df < rules.min_df
    common = ~rare & (df > ceiling)
    keep = np.flatnonzero(~rare & ~common)
    surplus = np.zeros(0, dtype=np.int64)
    if len(keep) > rules.max_words:
        order = keep[np.lexsort((names[keep], -total[keep]))]  # ties by name, so that the choice is the same everywhere
        surplus, keep = order[rules.max_words :], np.sort(order[: rules.max_words])
    dropped = []
    for fate, words, numbers in lost:
        dropped.append(_dropped(_FATES[fate].format(rules.min_letters), words, numbers))
    for rule, columns in (
        (f"in fewer than {rules.min_df} documents", np.flatnonzero(rare)),
        (f"in more than {percent(rules.max_df, 2)} of the documents", np.flatnonzero(common)),
        (f"beyond the {rules.max_words:,} most frequent words", surplus),
    ):
        if len(columns):
            dropped.append(_dropped(rule, names[columns], total[columns]))
    if len(keep) < 2:
        worst = max(dropped, key=lambda d: d.tokens, default=None)
        because = f"; most went as “{worst.rule}” ({worst.words:,} words)" if worst else "; the documents hold none"
        raise ValueError(
            f"words: {len(keep)} left, at least 2 are needed{because}. Loosen the rules or check the text."
        )
    return keep, tuple(dropped)


def _dropped(rule: str, words: Array, numbers: Array, n: int = 12) -> Dropped:
    top = np.lexsort((words, -numbers))[:n]
    examples = tuple((str(words[j]), int(numbers[j])) for j in top)
    return Dropped(rule, len(words), int(numbers.sum()), examples)


def build(dataset: Dataset, counts: Any, names: Array, rules: WordRules, lost: Any = ()) -> TextMatrix:
    """Choose words, weigh them and return the matrix with everything that belongs to it.

    Raises
    ------
    ValueError
        See :func:`choose`; also for fewer than two documents.
    """
    n = counts.shape[0]
    if n < 2:
        raise ValueError(f"documents: {n} found, at least 2 are needed to see topics")
    keep, dropped = choose(counts, names, rules, lost)
    chosen = short_indices(sp.csr_array(counts[:, keep], dtype=np.float64))
    chosen.sort_indices()
    df = np.bincount(chosen.indices, minlength=len(keep))
    idf = np.log((1 + n) / (1 + df)) + 1 if rules.weighting == "tfidf" else np.ones(len(keep))
    empty = tuple(np.flatnonzero(np.diff(chosen.indptr) == 0).tolist())
    kind_of = "TF-IDF weights" if rules.weighting == "tfidf" else "counts"
    ready = Dataset.of(
        weigh(chosen, idf, rules),
        dataset.name,
        rows=dataset.rows,
        cols=names[keep],
        kind="text",
        labels=dataset.labels,
        notes=(*dataset.notes, f"{n:,} documents × {len(keep):,} words, as {kind_of}."),
        extra={**dataset.extra, "counts": chosen},
    )
    return TextMatrix(ready, chosen, idf, rules, dropped, empty)


@dataclass(frozen=True, slots=True)
class Vectorize:
    """Work: turn the documents (or word counts) of a data set into a :class:`TextMatrix`.

    Attributes
    ----------
    dataset_id : str
    corpus : str
        :func:`corpus_digest` of the documents: the texts decide the result, and the data set's id does not cover them.
    rules : WordRules
    """

    dataset_id: str
    corpus: str
    rules: WordRules

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        return hashlib.blake2b(
            f"vectorize {self.dataset_id} {self.corpus} {self.rules!r}".encode(), digest_size=12
        ).hexdigest()

    def advance(self, dataset: Dataset, state: Counted | None, budget: float) -> Chunk:
        """Count some more documents."""
        documents = dataset.extra.get("documents")
        if documents is None:
            return Chunk(state, Stop.CONVERGED, 1.0)
        state = count_some(documents, self.rules, state, budget)
        stop = Stop.CONVERGED if state.done >= len(documents) else Stop.RUNNING
        return Chunk(state, stop, state.done / len(documents), f"{state.done:,} of {len(documents):,} documents read")

    def result(self, dataset: Dataset, state: Counted | None, stop: Stop) -> TextMatrix | None:
        """Return the matrix; None when stopped before all documents were read (half a corpus is another corpus)."""
        documents = dataset.extra.get("documents")
        if documents is None:
            return from_counts(dataset, self.rules)
        if state is None or state.done < len(documents):
            return None
        counts, names = merge(state)
        return build(dataset, counts, names, self.rules, state.lost)


def from_counts(dataset: Dataset, rules: WordRules) -> TextMatrix:
    """Return the matrix of a data set that holds word counts but no running text.

    The names of the columns pass the same word rules. When X does not hold whole numbers it is taken as weights:
    only the choice of words applies, and X stays as it is.
    """
    X = sp.csr_array(dataset.X)
    whole = bool(np.all(X.data == np.round(X.data)))
    lost: dict[str, Counter[str]] = {fate: Counter() for fate in FATES}
    sums = np.bincount(X.indices, weights=X.data, minlength=X.shape[1])
    folded, columns = [], []
    for j, name in enumerate(dataset.cols.tolist()):
        found = list(spans(name, rules))
        fates = {fate for _, _, _, fate in found}
        if fates == {"word"}:
            folded.append(" ".join(word for _, _, word, _ in found))
            columns.append(j)
        else:
            lost[next(iter(sorted(fates)), "short") if "stop" not in fates else "stop"][name] += int(sums[j])
    names, place = np.unique(np.array(folded, dtype=np.str_), return_inverse=True)
    gather = sp.csr_array((np.ones(len(columns)), (np.array(columns, int), place)), shape=(X.shape[1], len(names)))
    counts = sp.csr_array(X @ gather)  # columns that fold to one word (Bank, bank) are added
    if whole:
        return build(dataset, counts, names, rules, as_arrays(lost))
    return build(dataset, counts, names, replace(rules, weighting="counts"), as_arrays(lost))
