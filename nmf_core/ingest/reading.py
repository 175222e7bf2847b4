"""What reading a file comes to: a verdict, what was noted, what is asked, and the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from nmf_core.types import Dataset

if TYPE_CHECKING:
    from nmf_core.ingest.raw import Raw

Answer = str | tuple[str, ...]
Choices = Mapping[str, Any]


class Verdict(StrEnum):
    """The four ways in which reading can end."""

    READ = "read"
    NOTE = "note"
    ASK = "ask"
    REFUSE = "refuse"

    @property
    def sentence(self) -> str:
        """The verdict in plain words."""
        return {
            "read": "Read as it is.",
            "note": "Read; what was changed or assumed is listed and can be undone.",
            "ask": "Read so far; a choice is yours before the data can be used.",
            "refuse": "Not read.",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that reading did or assumed.

    Attributes
    ----------
    code : str
        A stable word for tests and translations.
    text : str
        A sentence. Parts of it may come from the file: escape it where it is shown.
    question : str
        Id of the question whose other options undo it; empty when nothing can be undone.
    """

    code: str
    text: str
    question: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question; `count` says how many rows, cells or items it concerns."""

    value: str
    label: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A choice that the file leaves to the person.

    Attributes
    ----------
    id : str
        Key in ``choices``.
    text : str
        The question.
    options : tuple of Option
    default : str or tuple of str
        What is taken for the preview; a tuple when several may be chosen.
    required : bool
        True: nothing is used before it is answered. False: the default was taken and a note says so.
    multiple : bool
        Several options may be chosen together.
    """

    id: str
    text: str
    options: tuple[Option, ...]
    default: Answer
    required: bool = True
    multiple: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """Why a file is refused: a stable code, a sentence, the place in the file, and what to do."""

    code: str
    text: str
    place: str = ""
    hint: str = ""

    def __str__(self) -> str:
        return " ".join(part if part.endswith((".", "?", "!")) else part + "." for part in self.parts())

    def parts(self) -> list[str]:
        """The sentence with its place, then the hint, leaving out what is empty."""
        text = f"{self.text.rstrip('.')} ({self.place})" if self.place else self.text
        return [part for part in (text, self.hint) if part]


class Refused(Exception):
    """Raised inside a reader to end with a `Message`; never leaves `read`."""

    def __init__(self, code: str, text: str, place: str = "", hint: str = "") -> None:
        super().__init__(text)
        self.message = Message(code, text, place, hint)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The outcome of reading one upload.

    Attributes
    ----------
    verdict : Verdict
    name : str
        Title of the data, made from the file's name.
    notes : tuple of Note
    questions : tuple of Question
        All choices there are, open and settled, in the order in which they came up.
    message : Message or None
        Only for `Verdict.REFUSE`.
    dataset : Dataset or None
        Only for `Verdict.READ` and `Verdict.NOTE`.
    raw : Raw or None
        What the file holds before missing and negative values are dealt with; also given with `Verdict.ASK`, read with
        the defaults, so that a preview can be shown.
    choices : mapping
        The answers this reading was made with.
    format : str
        What the bytes turned out to be ("CSV", "Excel", …).
    """

    verdict: Verdict
    name: str
    notes: tuple[Note, ...] = ()
    questions: tuple[Question, ...] = ()
    message: Message | None = None
    dataset: Dataset | None = None
    raw: Raw | None = None
    choices: Choices = field(default_factory=dict)
    format: str = ""

    @property
    def open(self) -> tuple[Question, ...]:
        """The questions that wait for an answer."""
        return tuple(q for q in self.questions if q.required)

    @property
    def defaults(self) -> dict[str, Any]:
        """The given answers, with the default for each question that is open."""
        return {**self.choices, **{q.id: q.default for q in self.open}}

    @property
    def sentence(self) -> str:
        """The verdict, or the reason for a refusal, as one sentence or two."""
        return str(self.message) if self.message else self.verdict.sentence


def to_json(notes: list[Note], questions: list[Question], message: Message | None) -> dict[str, Any]:
    """Return plain values that `from_json` reads back."""
    return {
        "notes": [asdict(note) for note in notes],
        "questions": [asdict(question) for question in questions],
        "message": asdict(message) if message else None,
    }


def from_json(values: Mapping[str, Any]) -> tuple[list[Note], list[Question], Message | None]:
    """Rebuild notes, questions and message."""
    questions = [
        Question(
            **{
                **q,
                "options": tuple(Option(**option) for option in q["options"]),
                "default": tuple(q["default"]) if isinstance(q["default"], list) else q["default"],
            }
        )
        for q in values["questions"]
    ]
    message = Message(**values["message"]) if values["message"] else None
    return [Note(**note) for note in values["notes"]], questions, message
