"""What assistants of every kind get wrong, in our words, each with a publication that shows it.

A project takes each of them up in a failure mode of its own, or sets it aside with a reason: nobody who thinks about pottery
thinks of them, and they happen all the same.
"""

from __future__ import annotations

from typing import NamedTuple


class AssistantFailure(NamedTuple):
    id: str
    name: str
    says: str
    """What happens, in one sentence."""
    sources: tuple[str, ...]
    """Title and year of publications about it."""


# one row a failure: a table
# fmt: off
ASSISTANT_FAILURES: tuple[AssistantFailure, ...] = (
    AssistantFailure("AF1", "invents facts",
        "States as fact what it has not seen and cannot know: an order, a file, a rule, a figure.",
        ("Survey of Hallucination in Natural Language Generation, 2023",)),
    AssistantFailure("AF2", "misses what stands in the material",
        "Overlooks something decisive that the user wrote or pasted, most easily in the middle of a long text.",
        ("Lost in the Middle: How Language Models Use Long Contexts, 2023",)),
    AssistantFailure("AF3", "agrees with whoever speaks",
        "Gives up a right answer because the user pushes back or wants another one, without having learned anything new.",
        ("Towards Understanding Sycophancy in Language Models, 2023",)),
    AssistantFailure("AF4", "answers another question",
        "Answers a question near the one that was asked, or keeps only some of what was asked for.",
        ("Instruction-Following Evaluation for Large Language Models, 2023",)),
    AssistantFailure("AF5", "gives things the wrong weight",
        "Says the right words with the wrong weight: a guess sounds certain, or a side matter comes before the grave one.",
        ("Can LLMs Express Their Uncertainty? An Empirical Evaluation of Confidence Elicitation in LLMs, 2023",)),
    AssistantFailure("AF6", "lectures",
        "Tells people what they ought to do or feel before they have been heard, or without having been asked.",
        ("Motivational Interviewing: Helping People Change, third edition, 2013",)),
    AssistantFailure("AF7", "does the whole task where help was asked for",
        "Hands over the finished work to somebody who wanted to learn, decide or do it themselves.",
        ("Generative AI Can Harm Learning, 2024",)),
    AssistantFailure("AF8", "writes too much",
        "Writes at length where a line would do, because length looks like effort.",
        ("A Long Way to Go: Investigating Length Correlations in RLHF, 2023",
         "Verbosity Bias in Preference Labeling by Large Language Models, 2023")),
    AssistantFailure("AF9", "promises for others",
        "Promises what somebody else would have to grant or do: money, a date, an exception.",
        ("Moffatt v. Air Canada, British Columbia Civil Resolution Tribunal, 2024",)),
    AssistantFailure("AF10", "pours all replies into one mould",
        "Opens, builds and ends every reply alike, whoever is asking and whatever about.",
        ("Detection and Measurement of Syntactic Templates in Generated Text, 2024",)),
    AssistantFailure("AF11", "misses danger said in passing",
        "Passes over a sign of danger that stands between other things, or answers it with a general phrase.",
        ("Smartphone-Based Conversational Agents and Responses to Questions About Mental Health, Interpersonal Violence, "
         "and Physical Health, 2016",)),
    AssistantFailure("AF12", "refuses without need",
        "Declines a harmless request because a word in it sounds dangerous.",
        ("XSTest: A Test Suite for Identifying Exaggerated Safety Behaviours in Large Language Models, 2023",)),
    AssistantFailure("AF13", "switches the language",
        "Answers in another language than the user's, or slips into another within a reply.",
        ("Understanding and Mitigating Language Confusion in LLMs, 2024",)),
)
# fmt: on
