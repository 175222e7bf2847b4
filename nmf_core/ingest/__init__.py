"""The data door: any real file in, safely, with the person in command."""

from nmf_core.ingest.limits import Limits
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.read import read, read_many
from nmf_core.ingest.reading import Message, Note, Option, Question, Reading, Verdict

__all__ = ["Limits", "Message", "Note", "Option", "Question", "Raw", "Reading", "Verdict", "read", "read_many"]
