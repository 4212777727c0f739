"""Whether a loop gives its optimizer other gradients than its tape gave, by more than what those themselves say.

A decay that is added to them by hand: ``[g + 0.01 * v for g, v in zip(gradients, variables)]``. In a function that is
traced it shows in the operations between the two, which read a weight. An eager loop leaves none: there all that shows
is that they are not the tape's, as they are not in one that cuts them either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

import tensorflow as tf

from auditor_agent.guard import guarded
from auditor_agent.integrations.tensorflow.flow import READS, in_graph
from auditor_agent.integrations.tensorflow.trained import Trained

#: Gradients that are followed, and operations between tape and optimizer.
_MOST: Final = 16
_MOST_NODES: Final = 200


@guarded(cast("bool | None", None))
def altered(gave: Sequence[Callable[[], Any]], given: Sequence[Any], variables: Iterable[Any]) -> bool | None:
    """Whether it does; None where nobody knows what the tape gave.

    Args:
        gave: the tape's gradients; nothing for one that is gone.
        given: those that the optimizer is about to act with.
        variables: those of the optimizer.
    """
    if not gave:
        return None
    own = {id(one) for each in gave if (one := each()) is not None}
    others = [one for one in given if one is not None and id(one) not in own][:_MOST]
    if tf.executing_eagerly():
        return bool(others)
    trained = Trained(variables)
    return any(_reads(one, own, trained) for one in others)


def _reads(tensor: Any, stop: set[int], trained: Trained) -> bool:
    """Whether a weight has a part in what a tensor was made of since the tape."""
    waiting, seen = [tensor], set[int]()
    while waiting and len(seen) < _MOST_NODES:
        at = waiting.pop()
        made = None if id(at) in stop or id(at) in seen else in_graph(at)
        seen.add(id(at))
        if made is None:
            continue
        op, inputs = made
        if trained.reads(op, inputs):
            return True
        waiting += [] if op in READS else inputs
    return False
