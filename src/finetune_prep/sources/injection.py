"""Pages that speak to a language model instead of to people.

Known ways only, and no defence by itself: what a reader takes from a page is claims with quotes that are looked up, whatever the
page says. But a page that gives orders to machines is no source to build on, and a person should know that it was found.
"""

from __future__ import annotations

import re

# "assistant", "agent" and "reader" alone are people in most domains
_KIND = r"(?:ai|automated|virtual) (?:assistant|model|agent|system|reader|crawler)s?"
_MACHINE = rf"(?:ais?|llms?|chatbots?|(?:large )?language models?|{_KIND})\b"
_EARLIER = (
    r"(?:(?:any|all|of|the|these|those|your|my) ){0,3}"
    r"(?:previous|prior|earlier|above|preceding|foregoing|initial|original|system)"
)
_WAYS = (
    rf"(?:ignore|disregard|forget|override|bypass) {_EARLIER} (?:\w+ )?(?:instructions?|prompts?|directions?|guidelines?)",
    r"(?:ignore|disregard|override) your (?:instructions?|prompt)",
    rf"(?:attention|notes?|message|instructions?|prompt|important)[,:]? (?:to|for) (?:the |any |all )?{_MACHINE}",
    rf"attention,? (?:all )?{_MACHINE}",
    rf"(?:if|when|since|as) you(?: are|['’]re) (?:an? |the )?{_MACHINE}",
    rf"you are now (?:an? |the |in )?(?:{_MACHINE}|dan\b|developer mode|unrestricted|jailbroken)",
    r"(?:reveal|print|repeat|output|show) (?:\w+ ){0,2}(?:system prompt|hidden prompt|initial instructions)",
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|begin_of_text|start_header_id|eot_id)\|>",
    r"\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|</?(?:system|instructions|tool_call|function_calls?)>",
    r"^[# ]*(?:system|assistant) ?(?:prompt|message|override)?: ?(?:you|ignore|from now on|always|never)\b",
    r"(?:do not|don['’]t) (?:tell|inform|alert|warn|mention (?:this|it) to) the (?:user|human|operator)\b",
)
_ADDRESSED = re.compile("|".join(f"(?:{way})" for way in _WAYS), re.IGNORECASE | re.MULTILINE)
SHOWN = 80  # characters of what was found


def addresses_machines(*texts: str) -> str:
    """The first words with which one of the texts speaks to a language model; "" if none does."""
    for text in texts:
        if match := _ADDRESSED.search(text):
            return " ".join(text[match.start() : match.start() + SHOWN].split())
    return ""
