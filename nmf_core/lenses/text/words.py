"""How running text becomes words: one rule for counting, colouring and fold-in alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from nmf_core.lenses.text.stopwords import TITLES, stop_list

MAX_WORDS = 50_000
LONGEST = 60  # characters of a word; beyond it is an address or a block of encoded data
FATES = ("stop", "short", "long", "number")


@dataclass(frozen=True, slots=True)
class WordRules:
    """What counts as a word, and which words go into the matrix.

    Attributes
    ----------
    tokens : {"letters", "hyphens", "digits"}
        Letters only; letters with inner hyphens and apostrophes kept together; letters and digits.
    min_letters : int
        Shorter words are dropped.
    lowercase, strip_accents : bool
    lists : tuple of str
        Built-in stop words, names in ``stopwords.TITLES``.
    own : tuple of str
        The visitor's own stop words.
    ngrams : int
        Longest run of words counted as a term (1: single words).
    min_df : int
        A term must stand in at least this many documents.
    max_df : float
        … and in at most this share of them.
    max_words : int
        The most frequent terms up to this many are kept.
    weighting : {"tfidf", "counts"}
        TF-IDF with rows of length 1 (suits the Frobenius loss) or plain counts (suits Kullback-Leibler).
    sublinear : bool
        TF-IDF from 1 + log(count) in place of the count, so that long documents do not shout.
    """

    tokens: Literal["letters", "hyphens", "digits"] = "letters"
    min_letters: int = 3
    lowercase: bool = True
    strip_accents: bool = False
    lists: tuple[str, ...] = ("english",)
    own: tuple[str, ...] = ()
    ngrams: int = 1
    min_df: int = 3
    max_df: float = 0.5
    max_words: int = 20_000
    weighting: Literal["tfidf", "counts"] = "tfidf"
    sublinear: bool = True

    def __post_init__(self) -> None:
        # The values come from the URL: each is checked again here.
        def within(name: str, low: float, high: float) -> None:
            value = getattr(self, name)
            if isinstance(value, (bool, str)) or not low <= value <= high:
                raise ValueError(f"{name}: must be from {low:g} to {high:g}, not {value!r}")

        within("min_letters", 1, 20)
        within("ngrams", 1, 3)
        within("min_df", 1, 10**9)
        within("max_df", 0.001, 1.0)
        within("max_words", 10, MAX_WORDS)
        if self.tokens not in ("letters", "hyphens", "digits"):
            raise ValueError(f"tokens: must be 'letters', 'hyphens' or 'digits', not {self.tokens!r}")
        if self.weighting not in ("tfidf", "counts"):
            raise ValueError(f"weighting: must be 'tfidf' or 'counts', not {self.weighting!r}")
        unknown = [name for name in self.lists if name not in TITLES]
        if unknown:
            raise ValueError(f"lists: no stop words named {unknown[0]!r}; known are {', '.join(TITLES)}")

    @property
    def stop_words(self) -> frozenset[str]:
        """All stop words together, folded as the words of the text are."""
        return _stop_words(self.lists, self.own, self.lowercase, self.strip_accents)

    def fold(self, word: str) -> str:
        """Return the word as it is counted: lower case, without accents, where asked."""
        if self.lowercase:
            word = word.lower()
        if self.strip_accents and not word.isascii():
            word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
        return word


@lru_cache(maxsize=64)
def _stop_words(lists: tuple[str, ...], own: tuple[str, ...], lowercase: bool, strip: bool) -> frozenset[str]:
    rules = WordRules(lists=lists, own=(), lowercase=lowercase, strip_accents=strip)
    words = set(own).union(*(stop_list(name) for name in lists))
    if not lowercase:
        words |= {word.capitalize() for word in words}
    return frozenset(rules.fold(word) for word in words)


_PLAIN = re.compile(r"\w+")
_JOINED = re.compile(r"\w+(?:[-'’]\w+)*")
_DIGIT = re.compile(r"[\d_]")


class Judge(dict[str, tuple[str, str]]):
    """Remembers for every run of word characters (word as counted, fate): texts repeat themselves.

    ``fate`` is ``"word"``, ``"stop"`` (a stop word), ``"short"``, ``"long"`` (no word, but data) or ``"number"`` (holds
    digits); only ``"word"`` is counted.
    """

    def __init__(self, rules: WordRules) -> None:
        super().__init__()
        self.rules, self.stop = rules, rules.stop_words
        self.pattern = _JOINED if rules.tokens == "hyphens" else _PLAIN

    def __missing__(self, raw: str) -> tuple[str, str]:
        rules = self.rules
        if len(raw) > LONGEST:
            verdict = raw[:LONGEST], "long"
        elif rules.tokens != "digits" and _DIGIT.search(raw):
            verdict = raw, "number"
        elif len(raw) < rules.min_letters:
            verdict = raw, "short"
        else:
            word = rules.fold(raw)
            verdict = word, ("stop" if word in self.stop else "word")
        self[raw] = verdict
        return verdict


def spans(text: str, rules: WordRules) -> Iterator[tuple[int, int, str, str]]:
    """Yield every run of word characters as (start, end, word, fate); positions are those of the text as given."""
    judge = Judge(rules)
    for match in judge.pattern.finditer(text):
        yield match.start(), match.end(), *judge[match.group()]


def terms(words: list[str], ngrams: int) -> list[str]:
    """Return words and, for ``ngrams`` > 1, runs of up to that many words that follow each other.

    As in scikit-learn, stop words are gone before runs are formed.
    """
    if ngrams == 1:
        return words
    runs = [" ".join(words[i : i + n]) for n in range(2, ngrams + 1) for i in range(len(words) - n + 1)]
    return words + runs
