"""Gates: pure checks of a project's documents and facts. `check` asks them all; `method.gates.GATES` is their table."""

from finetune_prep.core.finding import Criterion
from finetune_prep.gates.criteria import success_criteria
from finetune_prep.gates.premises import Unchecked
from finetune_prep.gates.run import binding, bindings, check, may_override, override
from finetune_prep.gates.workflow import Facts

__all__ = ["Criterion", "Facts", "Unchecked", "binding", "bindings", "check", "may_override", "override", "success_criteria"]
