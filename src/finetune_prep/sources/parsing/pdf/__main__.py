"""The process in which a .pdf is read: see `sources.parsing.child`."""

from finetune_prep.sources.parsing.child import answer
from finetune_prep.sources.parsing.pdf.document import read_pdf

answer(read_pdf)
