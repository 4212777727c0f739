"""What a model by hand was given: the tensors that its output was made of besides weights and constants."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from auditor_agent.integrations.tensorflow.flow import MOST_NODES, READS, Made, is_variable, shape

#: What a weight passes on its way to the product that it is in: a part of a stack of kernels, say.
_PASSED: Final = frozenset({"StridedSlice", "Identity", "Cast", "Transpose", "Reshape", "GatherV2"})
_FAR: Final = 4
#: Rows of a table that is a weight, by their numbers.
_LOOKED_UP: Final = "ResourceGather"
#: How operations begin that draw numbers at random.
_RANDOM: Final = ("Random", "StatelessRandom", "TruncatedNormal", "StatelessTruncatedNormal", "Multinomial")


def inputs(output: Any, made: Made, samples: int | None) -> list[Any]:
    """Tensors of as many samples as ``output``, where that is known.

    Those that meet a weight on their way; where none does all of them. A loss by hand is made of targets and masks too.
    """
    waiting, seen = deque([(output, False)]), set[tuple[int, bool]]()
    found: dict[int, Any] = {}
    met = set[int]()
    while waiting and len(seen) < 2 * MOST_NODES:
        tensor, weighed = waiting.popleft()
        if (id(tensor), weighed) in seen or is_variable(tensor):
            continue
        seen.add((id(tensor), weighed))
        node = made(tensor)
        if node is None:
            extents = shape(tensor)
            if extents and extents[0] == samples and getattr(getattr(tensor, "op", None), "type", "") != "Const":
                found[id(tensor)] = tensor
                met |= {id(tensor)} if weighed else set()
        elif node[0] == _LOOKED_UP:
            waiting.extend((one, True) for one in node[1][1:])
        elif node[0] not in READS:
            beyond = weighed or any(_read(one, made) for one in node[1])
            waiting.extend((one, beyond) for one in node[1])
    return [tensor for key, tensor in found.items() if key in met or not met]


def drawn(output: Any, made: Made) -> bool:
    """Whether what meets a weight first has a part that is drawn at random on the way: noise that inputs are given."""
    waiting, seen = deque([output]), set[int]()
    while waiting and len(seen) < MOST_NODES:
        tensor = waiting.popleft()
        node = None if id(tensor) in seen else made(tensor)
        seen.add(id(tensor))
        if node is None or node[0] in READS:
            continue
        if any(_read(one, made) for one in node[1]) and any(_random(one, made) for one in node[1]):
            return True
        waiting.extend(node[1])
    return False


def _random(tensor: Any, made: Made) -> bool:
    """Whether something random is behind it, and no weight."""
    waiting, seen, found = deque([tensor]), set[int](), False
    while waiting and len(seen) < MOST_NODES:
        one = waiting.popleft()
        if is_variable(one):
            return False
        node = None if id(one) in seen else made(one)
        seen.add(id(one))
        if node is None:
            continue
        if node[0] in READS:
            return False
        found = found or node[0].startswith(_RANDOM)
        waiting.extend(node[1])
    return found


def _read(tensor: Any, made: Made) -> bool:
    """Whether it is a weight, or a part of one."""
    for _ in range(_FAR):
        if is_variable(tensor):
            return True
        node = made(tensor)
        if node is None or not node[1]:
            return False
        if node[0] in READS:
            return True
        if node[0] not in _PASSED:
            return False
        tensor = node[1][0]
    return False
