"""The conversation of a reader with the person: what is noted, what is asked, and the answers given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nmf_core.ingest.limits import Limits
from nmf_core.ingest.progress import Tell, silent
from nmf_core.ingest.reading import Choices, Note, Option, Question


class Talk:
    """Collects notes and questions during one reading; answers come from the choices or the defaults.

    A question that the choices leave open is recorded and answered with its default, so that one pass finds every
    question and ends with a preview; the verdict then says that nothing is used yet.
    """

    def __init__(self, choices: Choices, limits: Limits, progress: Tell = silent) -> None:
        self.choices = choices
        self.limits = limits
        self.progress = progress
        self.notes: list[Note] = []
        self.questions: list[Question] = []
        self.format = ""

    def note(self, code: str, text: str, question: str = "") -> None:
        """Say what was done; once per code and text."""
        if not any(n.code == code and n.text == text for n in self.notes):
            self.notes.append(Note(code, text, question))

    def ask(self, id: str, text: str, options: Sequence[Option], default: str, *, required: bool = True) -> str:
        """Return the answer to a question with one answer; a choice that is no option counts as not given."""
        given = self.choices.get(id)
        values = [option.value for option in options]
        answered = isinstance(given, str) and given in values
        self._record(Question(id, text, tuple(options), default, required and not answered))
        return str(given) if answered else default

    def ask_many(
        self, id: str, text: str, options: Sequence[Option], default: Iterable[str], *, required: bool = True
    ) -> tuple[str, ...]:
        """Return the answers to a question with any number of answers."""
        given = self.choices.get(id)
        values = [option.value for option in options]
        answered = isinstance(given, (list, tuple)) and all(value in values for value in given)
        answer = tuple(str(value) for value in given) if answered else tuple(default)  # type: ignore[union-attr]
        self._record(Question(id, text, tuple(options), tuple(default), required and not answered, multiple=True))
        return answer

    def _record(self, question: Question) -> None:
        self.questions = [q for q in self.questions if q.id != question.id] + [question]

    @property
    def open(self) -> list[Question]:
        """The questions that still wait for an answer."""
        return [q for q in self.questions if q.required]
