"""The process in which a .docx is read: see `sources.parsing.child`."""

from finetune_prep.sources.parsing.child import answer
from finetune_prep.sources.parsing.word.document import read_docx

answer(read_docx)
