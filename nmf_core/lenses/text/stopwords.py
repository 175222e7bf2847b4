"""Stop words: built-in lists, and which of them suit a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

# Words of address and of procedure, as they stand in nearly every speech of a Westminster-style parliament.
_PARLIAMENT = """
bill chamber colleague colleagues gentleman gentlemen government governments hon honourable house ladies lady learned
lord lords madam member members minister ministers opposition parliament people right secretary sir speaker state
friend friends
"""

# Function words of five languages; English comes from scikit-learn. Short on purpose: the document-frequency limits
# take what is left, and the visitor's own list is one field away.
_GERMAN = """
aber alle allem allen aller alles als also am an andere anderen anderer auch auf aus bei beim bin bis bist da dabei
damit dann das dass dein deine dem den denn der des dessen die dies diese diesem diesen dieser dieses doch dort du
durch ein eine einem einen einer eines er es etwas euch euer für gegen gewesen hab habe haben hat hatte hatten hier
hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in indem ins ist ja jede jedem jeden jeder jedes jetzt
kann kein keine keinem keinen keiner können könnte man manche mehr mein meine mich mir mit muss müssen nach nicht
nichts noch nun nur ob oder ohne schon sehr sein seine seinem seinen seiner seit selbst sich sie sind so solche soll
sollen sollte sondern sonst über um und uns unser unsere unter viel vom von vor wann war waren warum was weil welche
welchem welchen welcher wenn wer werde werden wie wieder will wir wird wirst wo wollen worden wurde wurden während
zu zum zur zwar zwischen
"""
_FRENCH = """
afin ai aie ainsi alors après au aucun aucune aura aurait aussi autre autres aux avait avant avec avoir ayant bien
car ce ceci cela celle celles celui ces cet cette ceux chaque chez ci comme comment contre dans de depuis des deux
dès dire dit donc dont du elle elles en encore entre est et étaient était étant été être eu eux fait faire fois font
hors il ils je jusque la là le les leur leurs lors lorsque lui ma mais me même mêmes mes mettre moi moins mon ne ni
nos notre nous on ont ou où par parce pas pendant peu peut peuvent plus plusieurs pour pourquoi pouvoir près puis
puisque quand que quel quelle quelles quels qui quoi sa sans se sera serait ses si sien soit son sont sous souvent
sur ta te tel telle telles tels tes toi ton tous tout toute toutes très tu un une vers voici voilà vos votre vous
"""
_SPANISH = """
a al algo algunas algunos ante antes aquel aquella así aún aunque bien cada casi como con contra cual cuando de del
desde donde dos durante e el él ella ellas ellos en entre era eran es esa esas ese eso esos esta está están estaba
este esto estos fue fueron ha habían había han hasta hay la las le les lo los más me mi mientras mis misma mismo
mucho muchos muy nada ni no nos nosotros nuestra nuestro o otra otras otro otros para pero poco por porque pues que
qué quien quienes se sea según ser si sí sido sin sino sobre son su sus también tan tanto te tiene tienen todo todos
tu un una unas uno unos usted vez y ya yo
"""
_ITALIAN = """
ad agli ai al alla alle allo altra altre altri altro anche ancora avere aveva avevano c che chi ci come con contro
cosa così cui da dagli dai dal dalla dalle dallo degli dei del della delle dello di dopo dove due e è ed era erano
essere fa fino fra fu gli ha hai hanno ho i il in io la le lei li lo loro lui ma me mi mia mio molto ne negli nei
nel nella nelle nello no noi non nostra nostro o ogni per perché perciò però più poi prima può qua quale quali
quando quanto quella quelle quelli quello questa queste questi questo qui quindi sarà se sei senza si sia siamo
siano sono sotto sta stata state stati stato su sua sue sugli sui sul sulla sulle suo suoi tra tu tua tuo tutta
tutte tutti tutto un una uno vi voi
"""

_OWN = {
    "parliament": _PARLIAMENT,
    "german": _GERMAN,
    "french": _FRENCH,
    "spanish": _SPANISH,
    "italian": _ITALIAN,
}
TITLES = {
    "english": "English",
    "parliament": "Words of Parliament",
    "german": "German",
    "french": "French",
    "spanish": "Spanish",
    "italian": "Italian",
}
# A list is suggested when its tell-tale words stand in at least this share of the documents.
_TELLTALE = {
    "english": ("the", "of", "and"),
    "parliament": ("hon", "house", "minister"),
    "german": ("und", "der", "ist"),
    "french": ("et", "les", "est"),
    "spanish": ("el", "que", "los"),
    "italian": ("che", "di", "il"),
}
_SHARE = {"parliament": 0.25}


@cache
def stop_list(name: str) -> frozenset[str]:
    """Return one built-in list of stop words.

    Raises
    ------
    ValueError
        For a name that is not in :data:`TITLES`.
    """
    if name == "english":
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        # Contractions, as the apostrophe leaves them, and forms of "do" that the list has not.
        more = "don didn doesn isn wasn won ve ll did does doing"
        return frozenset(ENGLISH_STOP_WORDS) | frozenset(more.split())
    if name not in _OWN:
        raise ValueError(f"stop words: no list named {name!r}; known are {', '.join(TITLES)}")
    return frozenset(_OWN[name].split())


def parse_words(text: str) -> tuple[str, ...]:
    """Read a visitor's own list: words between blanks, commas, semicolons or lines; order and copies do not count."""
    for mark in ",;\n\t":
        text = text.replace(mark, " ")
    return tuple(sorted({word.strip().lower() for word in text.split(" ") if word.strip()}))


def suggest_lists(documents: Sequence[str] | Iterable[str], sample: int = 300) -> tuple[str, ...]:
    """Return the lists whose tell-tale words (see the source) stand in enough of the documents.

    Parameters
    ----------
    documents : sequence of str
    sample : int
        At most this many documents are looked at, evenly spread.

    Returns
    -------
    tuple of str
        Names for :func:`stop_list`; empty when no list suits, for example for counts without text.
    """
    texts = list(documents)
    step = max(1, -(-len(texts) // sample))
    bags = [set("".join(c if c.isalpha() else " " for c in text.lower()).split()) for text in texts[::step]]
    if not bags:
        return ()
    found = []
    for name, tells in _TELLTALE.items():
        share = sum(
            any(word in bag for word in tells) if name == "parliament" else all(w in bag for w in tells) for bag in bags
        )
        if share >= _SHARE.get(name, 0.5 if name == "english" else 0.4) * len(bags):
            found.append(name)
    return tuple(found)
