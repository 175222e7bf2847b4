"""What each section found, as a sentence made from numbers: also when the usual alternative is better."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core.fold_in import weights_of
from nmf_core.lenses.text.clusters import Agreement
from nmf_core.lenses.text.completion import Completion
from nmf_core.lenses.text.fold_in import shares_of
from nmf_core.lenses.text.prevalence import COMPARED, Prevalence, clearest_change
from nmf_core.lenses.text.second_opinion import Opinion
from nmf_core.lenses.text.summary import Race, unit_rows
from nmf_core.lenses.text.topics import Topics
from nmf_core.lenses.text.vectorize import TextMatrix
from nmf_core.types import Array, Chunk, Dataset, FitResult, Stop
from nmf_core.wording import percent


@dataclass(frozen=True, slots=True)
class Claim:
    """A measured result.

    Attributes
    ----------
    holds : bool or None
        True: NMF did better than the alternative; False: worse; None: too close to tell, or nothing to compare.
    text : str
        One or two sentences with the numbers; may hold names from files, so escape it.
    """

    holds: bool | None
    text: str


def topics_claim(opinion: Opinion, n_words: int = 10) -> Claim:
    """Compare the coherence of NMF's topics with LDA's over the seeds done."""
    if not len(opinion.lda):
        return Claim(None, "LDA has not finished a first run, so there is nothing to compare yet.")
    seeds = f"{len(opinion.lda)} seed{'s' if len(opinion.lda) > 1 else ''}"
    told = (
        f"mean NPMI of the top {n_words} words, counted on these same documents: NMF {_span(opinion.nmf)}, "
        f"LDA {_span(opinion.lda)} ({seeds} each, equal rank, LDA with scikit-learn's priors)"
    )
    if opinion.nmf.min() > opinion.lda.max():
        return Claim(True, f"NMF's topics are more coherent than LDA's on every seed — {told}.")
    if opinion.nmf.max() < opinion.lda.min():
        return Claim(False, f"Here NMF loses: LDA's topics are more coherent on every seed — {told}.")
    lead = "NMF" if opinion.nmf.mean() > opinion.lda.mean() else "LDA"
    return Claim(None, f"Too close to call, with {lead} ahead on average — {told}.")


def _span(values: Array) -> str:
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{values.mean():.3f} (from {values.min():.3f} to {values.max():.3f})"


def weighting_claim(ours: float, theirs: float, name: str, other: str) -> Claim:
    """Compare the coherence of topics under the weighting chosen with those under the other one."""
    told = f"mean NPMI at equal rank, on the same words: {name} {ours:.3f}, {other} {theirs:.3f}"
    if abs(ours - theirs) < 0.005:
        return Claim(None, f"Both weightings give equally coherent topics — {told}.")
    if ours > theirs:
        return Claim(True, f"The weighting chosen gives the more coherent topics — {told}.")
    return Claim(False, f"The other weighting would give more coherent topics — {told}.")


def completion_claim(found: Completion) -> Claim:
    """Say whether a document's topics tell its hidden words better than common words would."""
    if not found.n:
        return Claim(None, "No document has ten different words, so none can be halved for a test.")
    told = (
        f"half of the words of {found.n} documents were hidden; ranked by the topics of the other half they "
        f"come before "
        f"words that are not in the document in {percent(found.topics)} of the pairs, ranked by how common they are in "
        f"{percent(found.common)} (50 % is chance; topics do better in {found.wins} of {found.n} documents)"
    )
    gap = found.topics - found.common
    if abs(gap) < 0.005:
        return Claim(None, f"Topics and common words tell hidden words equally well — {told}.")
    if gap > 0:
        return Claim(True, f"A document's topics say more about it than common words do — {told}.")
    return Claim(False, f"Here NMF loses: common words tell more than topics — {told}.")


def clusters_claim(ours: Agreement, plain: Agreement, how: str, label: str) -> Claim:
    """Compare groups by topics with k-means on the words themselves, against a label."""
    if ours.n_labels < 2 or ours.n < 4:
        return Claim(None, f"{label} has too few labelled documents to compare groups with.")
    told = (
        f"{ours.n:,} documents, {ours.n_labels} labels: {how} ARI {_three(ours.ari)}, NMI {_three(ours.nmi)}, "
        f"chance-corrected AMI {_three(ours.ami)}; k-means on the words ARI {_three(plain.ari)}, "
        f"NMI {_three(plain.nmi)}, AMI {_three(plain.ami)}"
    )
    weak = (
        f" Both are close to chance: {label} is not what the words of these documents divide by."
        if max(ours.ami, plain.ami) < 0.1
        else ""
    )
    gap = ours.ami - plain.ami
    if abs(gap) < 0.01:
        return Claim(None, f"Topics and plain words agree with {label} equally well — {told}.{weak}")
    verdict = (
        f"Topics agree with {label} better than plain words do"
        if gap > 0
        else f"Here NMF loses: plain words agree with {label} better than topics do"
    )
    return Claim(gap > 0, f"{verdict} — {told}.{weak}")


def _three(value: float) -> str:
    return f"{round(value, 3) + 0.0:.3f}"  # no "-0.000"


def prevalence_claim(found: Prevalence, names: tuple[str, ...], what: str) -> Claim:
    """Say which difference is the clearest, and whether the intervals lie apart."""
    if found.value.shape[1] < 2:
        return Claim(None, "With one topic every share is 100 %, so there is nothing to compare.")
    change = clearest_change(found)
    if change is None:
        return Claim(None, f"No two {what} hold {COMPARED} documents with words each, so nothing can be compared.")
    a, b, t = change.low_group, change.high_group, change.topic

    def told(g: int) -> str:
        return (
            f"{found.groups[g]} {percent(found.value[g, t])} "
            f"({percent(found.low[g, t])} to {percent(found.high[g, t])}, n = {found.n[g]})"
        )

    comparisons = found.value.shape[1] * int((found.n >= COMPARED).sum())
    if change.apart:
        text = (
            f"The clearest difference is “{names[t]}”: {told(b)} against {told(a)}, and the intervals do not overlap. "
            f"It is the largest of {comparisons} values looked at, so take it as a lead, not as a proof."
        )
    else:
        text = (
            f"No difference stands out: even the largest, “{names[t]}” with {told(b)} against {told(a)}, has "
            "overlapping intervals."
        )
    return Claim(None, text)


def keyword_claim(topics: Topics, matrix: TextMatrix, codes: Array, n_groups: int, n_words: int = 3) -> Claim:
    """Compare topics with the usual alternative, counting a few keywords, over the same groups of documents.

    For every topic: the rank correlation, over groups with at least five documents, of its mean share with the share of
    documents that hold at least one of its first `n_words` words.
    """
    from scipy.stats import spearmanr

    held = (codes >= 0) & (topics.shares.sum(axis=1) > 0)
    n = np.bincount(codes[held], minlength=n_groups)
    groups = np.flatnonzero(n >= 5)
    if len(groups) < 4:
        return Claim(None, "Counting keywords instead cannot be compared here: it takes four groups of five documents.")
    found = []
    for t, words in enumerate(topics.top(n_words, 0.6)):
        holds = np.asarray((matrix.counts[:, words] > 0).sum(axis=1)).ravel() > 0
        pairs = np.array(
            [(topics.shares[held & (codes == g), t].mean(), holds[held & (codes == g)].mean()) for g in groups]
        )
        if np.ptp(pairs, axis=0).min() > 0:
            found.append(float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic))
    if not found:
        return Claim(None, "Counting keywords instead cannot be compared here: no topic differs between groups.")
    middle = float(np.median(found))
    close = (
        "keywords alone would tell nearly the same story"
        if middle >= 0.8
        else "keywords alone would tell another story"
    )
    return Claim(
        None,
        f"The usual alternative, counting documents that hold one of a topic's first {n_words} words, ranks the groups "
        f"with a median correlation of {middle:.2f} to the topic shares over {len(found)} topics: {close}.",
    )


def summary_claim(race: Race, n: int) -> Claim:
    """Compare summaries by NMF with lead, random and the centroid method over many documents."""
    m = len(race.nmf)
    if m < 3:
        return Claim(None, f"Only {m} of these documents are long enough to compare summaries of {n} sentences.")
    told = (
        f"centroid similarity with about as many words, mean over {m} documents of at least {3 * n} sentences: "
        f"NMF {race.nmf.mean():.3f}, first sentences {race.lead.mean():.3f}, random {race.random.mean():.3f}, "
        f"centroid method without topics {race.plain.mean():.3f}"
    )
    wins = (
        f"NMF is ahead of the first sentences in {_of(race.nmf > race.lead)} documents and of random ones in "
        f"{_of(race.nmf > race.random)}"
    )
    ahead = race.nmf.mean() > max(race.lead.mean(), race.random.mean())
    verdict = "Sentences chosen by NMF say more of the whole" if ahead else "Here NMF loses"
    plain = race.plain.mean() - race.nmf.mean()
    honest = (
        " The centroid method, which aims at this very measure, does better."
        if plain > 0.005
        else " The centroid method, which aims at this very measure, does no better."
        if plain < -0.005
        else " The centroid method, which aims at this very measure, does as well."
    )
    return Claim(bool(ahead), f"{verdict} — {told}. {wins}.{honest}")


def _of(which: Array) -> str:
    return f"{int(which.sum())} of {len(which)}"


@dataclass(frozen=True, slots=True)
class FoldInCheck:
    """How fold-in treats documents whose topics are known.

    Attributes
    ----------
    n : int
        Documents of the corpus folded in as if they were new.
    error : float
        Largest difference between the shares found and the document's own.
    same_words, same_topics : float
        Part of the documents whose nearest other document, by words or by topics, has the same label; NaN without one.
    chance : float
        Part of pairs of documents with the same label.
    """

    n: int
    error: float
    same_words: float
    same_topics: float
    chance: float


def check_fold_in(X_all: Any, result: FitResult, topics: Topics, labels: Array | None, most: int = 200) -> FoldInCheck:
    """Fold documents of the corpus in again, and compare their neighbours by words and by topics.

    Parameters
    ----------
    X_all : csr_array of shape (n_documents, n_words)
        As factorized.
    result : FitResult
    topics : Topics
    labels : ndarray of shape (n_documents,), optional
    most : int
        Documents folded in, evenly spread.
    """
    held = np.flatnonzero(topics.shares.sum(axis=1) > 0)
    chosen = held[:: max(1, -(-len(held) // most))]
    X = X_all[chosen]
    shares = shares_of(weights_of(X, result), result, topics)
    error = float(np.abs(shares - topics.shares[chosen]).max(initial=0.0))
    if labels is None:
        return FoldInCheck(len(chosen), error, float("nan"), float("nan"), float("nan"))
    labels = np.asarray(labels).astype(str)
    # All similarities at once, as `documents.nearest` has them one by one: cosine of words, and the Bhattacharyya
    # coefficient, which falls as the Hellinger distance of the topics grows.
    by_words = (unit_rows(X_all) @ unit_rows(X).T).toarray()
    by_topics = np.sqrt(topics.shares) @ np.sqrt(shares).T
    same = []
    for score in (by_words, by_topics):
        score[chosen, np.arange(len(chosen))] = -1.0
        near = score.argmax(axis=0)
        found = score[near, np.arange(len(chosen))] > 0
        same.append(float((labels[near] == labels[chosen])[found].mean()) if found.any() else float("nan"))
    counts = np.unique(labels, return_counts=True)[1]
    n = counts.sum()
    chance = float((counts * (counts - 1)).sum() / (n * (n - 1))) if n > 1 else float("nan")
    return FoldInCheck(len(chosen), error, same[0], same[1], chance)


def fold_in_claim(check: FoldInCheck, label: str | None) -> Claim:
    """Say how well fold-in gives documents their own topics back, and which neighbours are better."""
    told = (
        f"{check.n:,} documents of this corpus, folded in as if they were new, get their own topic shares back to "
        f"within {max(check.error * 100, 0.01):.2f} percentage points."
    )
    if label is None or check.same_words != check.same_words or check.same_topics != check.same_topics:
        return Claim(None, told)
    gap = check.same_topics - check.same_words
    who = (
        "topics find better neighbours than plain words"
        if gap > 0.01
        else "here NMF loses: plain words find better neighbours than topics"
        if gap < -0.01
        else "topics and plain words find equally good neighbours"
    )
    return Claim(
        None if abs(gap) <= 0.01 else gap > 0,
        f"{told} The nearest other document has the same {label} in {percent(check.same_topics, 2)} of the cases by topics, in "
        f"{percent(check.same_words, 2)} by words, and in {percent(check.chance, 2)} by chance: {who}.",
    )


@dataclass(frozen=True, slots=True, eq=False)
class FoldInTest:
    """Work: :func:`check_fold_in` on the data set a result was fitted on.

    Attributes
    ----------
    fitted : FitResult
        Without its state; `fitted.request.dataset_id` names the data.
    label : str
        Column of labels; empty for none.
    corpus : str
        Digest of what else decides the labels (the data set's id does not cover them).
    """

    fitted: FitResult
    label: str
    corpus: str

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        said = f"fold-in {self.fitted.request.key} {self.fitted.n_iter} {self.label!r} {self.corpus}"
        return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()

    @property
    def dataset_id(self) -> str:
        """The data it runs on."""
        return self.fitted.request.dataset_id

    def advance(self, dataset: Dataset, state: Any, budget: float) -> Chunk:
        """Do it all: the number of documents folded in is limited."""
        topics = Topics.of(self.fitted.W, self.fitted.H, dataset.X, dataset.cols)
        labels = np.asarray(dataset.labels[self.label]) if self.label else None
        return Chunk(check_fold_in(dataset.X, self.fitted, topics, labels), Stop.CONVERGED, 1.0, "folded in")

    def result(self, dataset: Dataset, state: FoldInCheck | None, stop: Stop) -> FoldInCheck | None:
        """Return the check."""
        return state
