"""Weights that a script updates itself: ``with torch.no_grad(): p -= lr * p.grad``, and no optimizer.

Such a loop has no step that could be hooked. What shows is that between one backward pass and the next
the leaves of the loss have changed, while no optimizer holds them. Once that was so twice running a
stand-in optimizer takes part in their place: its step begins where a backward pass ends, for the
gradients are there then, and is over when the model is called again (with other weights) or the next
backward pass begins. All else is as with any optimizer, but for what only an optimizer knows: in place of
a state there are weights and gradients of the steps that were missed, where they are small, for a rule with
a memory cannot be told without them; and the learning rate is the one that the update before was made with,
if that took off a multiple of the gradient and nothing else.

``torch.autograd.grad(loss, weights)`` is a backward pass as well, where no optimizer holds the weights. What it gives
stands in their ``grad`` for as long as this one looks, and is gone before the script goes on.

**Gathered** over several passes, gradients are those of one step (``gathered.py``): changes at every n-th pass say so.

Not seen: ``torch.func``, and weights that are new tensors at every step.
"""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from auditor_agent.capture import kernels
from auditor_agent.guard import guarded
from auditor_agent.integrations.torch.gathered import RUNNING, Gathered, small
from auditor_agent.integrations.torch.hooks import hooks_of
from auditor_agent.integrations.torch.taken import unreadable
from auditor_agent.integrations.torch.unstepped import behind, held

#: Backward passes within which a script must show that it updates weights itself.
_TRIES: Final = 20
#: Part of a loss's leaves that must change: an attack changes its input, not the weights behind the same loss.
_PART: Final = 0.5
#: Elements of a leaf that are compared.
_LOOKED: Final = 64
#: Part of an update that may be left when a multiple of the gradient is taken off it: it was rounded to the weight.
_EXACT: Final = 0.01
#: Elements that one multiple of the gradient must explain: of a bias of one it explains anything.
_TELLING: Final = 2
#: Bytes of weights that are kept of each of the first passes, and as many of their gradients.
_KEPT: Final = 1 << 20
#: Knows whether a ``fit`` of Keras is watched: on PyTorch it steps by an optimizer of its own, which is seen there.
_KERAS: Final = "auditor_agent.integrations.keras.audit"
#: Passes in a row that bring its weights no gradient after which it is taken for over.
_FOREIGN: Final = 3


#: What makes ``torch.autograd.grad`` more than a backward pass: derivatives of derivatives, products with vectors.
_OF_MORE: Final = frozenset({"grad_outputs", "retain_graph", "create_graph", "is_grads_batched"})
#: Weight and gradient at a pass, by the identity of the leaf.
_Kept = dict[int, tuple[Tensor, Tensor]]


class UpdateByHand(Optimizer):
    """Stands in for the script's own updates; takes no step itself."""

    def __init__(self, parameters: Sequence[Tensor], missed: int) -> None:
        super().__init__(parameters, {})
        self.missed = missed
        """Updates until it was clear what they were."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As every optimizer does, but without the compiler, which torch would import for it: a second of the job."""
        inspect.unwrap(Optimizer.add_param_group)(self, param_group)

    def remember(self, steps: Sequence[_Kept]) -> None:
        """Weights and gradients of all the steps that were missed, the last one at the end; told as its state."""
        for parameter in self.param_groups[0]["params"]:
            for back, kept in enumerate(reversed(steps), 1):
                weight, gradient = kept[id(parameter)]
                self.state[parameter][f"missed.{back}.weight"] = weight
                self.state[parameter][f"missed.{back}.gradient"] = gradient

    def measured(self, rate: float | None) -> None:
        """What the script's last update was: so many times the gradient, or something else."""
        if rate is None:
            self.param_groups[0].pop("lr", None)
        else:
            self.param_groups[0]["lr"] = rate


class _Look:
    """What a leaf was like: enough to see without waiting for a device that somebody wrote to it."""

    def __init__(self, leaf: Tensor) -> None:
        self.leaf = weakref.ref(leaf)
        self._version = _version(leaf)
        self._values = _some(leaf).clone() if leaf.is_cpu else None
        gradient = leaf.grad
        self._gradient = None if gradient is None or not _plain(gradient) else _some(gradient).clone()

    def changed(self) -> bool:
        """Whether it is another now; ``leaf.data -= …`` shows in its values only."""
        leaf = self.leaf()
        if leaf is None or self._version != _version(leaf):
            return leaf is not None
        return self._values is not None and not bool((_some(leaf) == self._values).all())

    def rate(self) -> float | None:
        """What times its gradient was taken off since; None where that is not what was done, or not known."""
        leaf, gradient = self.leaf(), self._gradient
        if leaf is None or gradient is None or self._values is None or gradient.numel() < _TELLING:
            return None
        taken = (self._values - _some(leaf)).double()
        gradient = gradient.double()
        rate = torch.dot(taken, gradient) / torch.dot(gradient, gradient)
        off = (taken - rate * gradient).norm() / taken.norm()
        return float(rate) if float(off) < _EXACT else None


class ByHand:
    """Listens to backward passes until it is known whether a script updates its weights itself.

    Args:
        stepping: told of the stand-in before each of its steps, as of any optimizer.
        begun: called once, when the stand-in takes over: what was heard before belongs to no step.
    """

    def __init__(self, stepping: Callable[[Optimizer], None], begun: Callable[[], None]) -> None:
        self._stepping, self._begun = stepping, begun
        self._optimizer: UpdateByHand | None = None
        self._looks: list[_Look] = []
        self._passes = self._foreign = self._asked = 0
        self._gathered = Gathered()
        self._kept: list[_Kept] = []
        self._fresh = True
        self._root: Any = None
        self._due: _Look | None = None
        self._watched: _Look | None = None
        self._asking: Sequence[Tensor] = ()
        self.over = False
        """Whether there is nothing left to listen for."""

    @guarded(None)
    def begins(self, tensors: Any) -> None:
        """A backward pass begins."""
        self._root = None
        if self.over or not isinstance(tensors, Tensor) or tensors.numel() != 1:  # several: a checkpoint within another
            return
        self._root = tensors
        if self._optimizer is None:
            self._listen(tensors)
        elif self._due is not None:
            self._end()
        elif self._watched is not None and self._watched.changed():  # earlier than it was wont: an epoch's last batches
            self._watched = None
            self._gathered.ends()
            self._begun()
        if self._optimizer is not None:
            self._gathered.lend(self._asking)

    @guarded(False)
    def takes(self, root: Tensor, leaves: Sequence[Tensor]) -> bool:
        """Whether gradients of ``root`` that were asked for by these leaves are a step's.

        None of the leaves behind it is held by an optimizer: else it is an attack, or a penalty. If they are a step's,
        :meth:`begins` and then :meth:`given` or :meth:`failed` are to follow.
        """
        if self.over or any(leaf.grad is not None for leaf in leaves):
            return False
        if self._optimizer is None:
            self._asked += 1
            if self._asked > _TRIES:  # looking for optimizers takes its time
                return False
            owned = held()
            fit = not any(id(leaf) in owned for leaf in (*leaves, *behind([root])))
        else:
            fit = {id(leaf) for leaf in leaves} == {id(one) for one in self._optimizer.param_groups[0]["params"]}
        self._asking = leaves if fit else ()
        return fit

    @guarded(None)
    def given(self, tensors: Any, leaves: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> None:
        """The same as :meth:`passed`, where the script was given the gradients and the leaves were not."""
        try:
            for leaf, gradient in zip(leaves, gradients, strict=True):
                leaf.grad = self._gathered.add(leaf, gradient)
            self.passed(tensors)
        finally:
            self.failed()

    @guarded(None)
    def failed(self) -> None:
        """The script has its gradients, or never got them: the leaves are as they were."""
        asking, self._asking = self._asking, ()
        for leaf in asking:
            leaf.grad = None

    @guarded(None)
    def passed(self, tensors: Any) -> None:
        """A backward pass is over: the gradients are there."""
        root, self._root = self._root, None
        optimizer = self._optimizer
        if root is None or tensors is not root:
            return
        if optimizer is None:
            self._keep()
            return
        parameters = optimizer.param_groups[0]["params"]
        if all(parameter.grad is None for parameter in parameters):
            self._foreign += 1
            if self._foreign >= _FOREIGN:
                self._optimizer, self._passes, self._looks, self._kept = None, 0, [], []
                self._gathered = Gathered()
            return
        self._foreign = 0
        if not self._gathered.passed():
            self._watched = self._watched or _Look(min(parameters, key=Tensor.numel))
            return
        self._watched = None
        self._due = _Look(min(parameters, key=Tensor.numel))
        self._stepping(optimizer)
        hooks = hooks_of(optimizer)
        if hooks is not None:
            hooks.before(optimizer, (optimizer,), {})

    @guarded(None)
    def called(self) -> None:
        """The model is called: with other weights if the step is over."""
        if self._due is not None and self._due.changed():
            self._end()

    def _end(self) -> None:
        due, self._due = self._due, None
        self._gathered.ends()
        if due is not None and self._optimizer is not None:
            self._optimizer.measured(due.rate())
        hooks = None if due is None or self._optimizer is None else hooks_of(self._optimizer)
        if hooks is not None and self._optimizer is not None:
            hooks.after(self._optimizer, (self._optimizer,), {})
            self._optimizer.state.clear()  # told once

    def _keep(self) -> None:
        """Weights and gradients of the updates that will have been missed if this goes on, where all are there."""
        leaves = [leaf for look in self._looks if (leaf := look.leaf()) is not None]
        if self.over or sum(leaf.numel() * leaf.element_size() for leaf in leaves) > _KEPT:
            self._kept = []
            return
        now = {
            id(leaf): (leaf.detach().clone(), leaf.grad.detach().clone())
            for leaf in leaves
            if leaf.grad is not None and _dense(leaf.grad) and not unreadable(leaf)
        }
        before = {} if self._fresh or not self._kept else self._kept.pop()
        if self._asking:
            now = {one: (weight, _sum(gradient, before.get(one))) for one, (weight, gradient) in now.items()}
        self._kept = [*self._kept[-RUNNING:], now]

    def _listen(self, root: Tensor) -> None:
        self._passes += 1
        if self._passes > _TRIES:
            self.over, self._looks, self._kept = True, [], []
            return
        leaves = [
            leaf
            for leaf in reversed(behind([root]))
            if type(leaf) in kernels.PLAIN and leaf.layout is torch.strided and leaf.numel()
        ]
        seen = {id(look.leaf()): look for look in self._looks}
        again = [(leaf, seen[id(leaf)]) for leaf in leaves if id(leaf) in seen]
        changed = sum(look.changed() for _, look in again)
        self._fresh = bool(changed and changed >= _PART * len(leaves))
        self._gathered.hears(leaves, changed=self._fresh)
        if self._gathered.period:
            self._begin([leaf for leaf, _ in again])
        else:
            self._looks = [_Look(leaf) for leaf in leaves]

    def _begin(self, leaves: Sequence[Tensor]) -> None:
        kept, self._kept = self._kept, []
        gathered, self._looks, self._watched = self._gathered, [], None
        gathered.ends()
        owned = held()
        keras = sys.modules.get(_KERAS)
        self.over = (keras is not None and keras.on_torch()) or any(id(leaf) in owned for leaf in leaves)
        self.over = self.over or (bool(self._asking) and gathered.period > 1 and not small(leaves))
        if not self.over:
            self._optimizer = UpdateByHand(leaves, gathered.missed)
            if len(kept) == gathered.missed and all(id(leaf) in one for one in kept for leaf in leaves):
                self._optimizer.remember(kept)
            self._begun()


def asked(outputs: Any, inputs: Any, further: Mapping[str, Any]) -> list[Tensor]:
    """The leaves of which ``torch.autograd.grad`` is to give a loss's gradients; none where it is asked for others.

    Args:
        outputs: of which it is asked.
        inputs: by which.
        further: what else was said; anything but that some may be unused is no plain backward pass.
    """
    leaves = [inputs] if isinstance(inputs, Tensor) else list(inputs) if isinstance(inputs, (list, tuple)) else []
    plain = (
        isinstance(outputs, Tensor)
        and outputs.numel() == 1
        and not any(further[one] for one in further if one in _OF_MORE)
    )
    fit = plain and leaves and all(isinstance(one, Tensor) and one.is_leaf and one.requires_grad for one in leaves)
    return leaves if fit else []


def _sum(gradient: Tensor, before: tuple[Tensor, Tensor] | None) -> Tensor:
    return gradient if before is None else gradient + before[1]


def _some(tensor: Tensor) -> Tensor:
    return tensor.detach().reshape(-1)[:_LOOKED]


def _plain(tensor: Tensor) -> bool:
    return _dense(tensor) and tensor.is_cpu


def _dense(tensor: Tensor) -> bool:
    return type(tensor) in kernels.PLAIN and tensor.layout is torch.strided


def missed_by(optimizer: Optimizer) -> int:
    """Steps that were over before ``optimizer``, if it stands in for a script, could be told of its first."""
    return optimizer.missed if isinstance(optimizer, UpdateByHand) else 0


def _version(leaf: Tensor) -> int:
    return 0 if leaf.is_inference() else leaf._version  # noqa: SLF001 - tells of writes without a look
