"""The process in which a web page is read: see `sources.parsing.child`."""

from finetune_prep.sources.parsing.child import answer
from finetune_prep.sources.parsing.html.page import read_html

answer(read_html)
