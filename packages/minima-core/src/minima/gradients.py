"""The methods of Tensor that deal with gradients, and what hooks are kept in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self, cast
from weakref import ref

from .autograd.node import LEAF, Node, View, _Leaf
from .dtypes import is_floating
from .errors import AutogradError, DTypeError

if TYPE_CHECKING:
    from .devices import Device
    from .dtypes import DType
    from .tensor import Tensor, TensorLike

__all__ = ["RETAINED", "Gradients", "Handle", "PostHook", "Retained"]


class PostHook:
    """A hook that runs once the gradient of a leaf was added to ``grad``."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Tensor], None]) -> None:
        self.function = function


#: the key, among the hooks of a node, of what keeps the gradient of its result
RETAINED = -1


class Retained:
    """Keeps the gradient of a result of an operation, which it does not hold itself."""

    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = ref(tensor)


class Handle:
    """Removes what was registered."""

    __slots__ = ("_hooks", "_key")

    def __init__(self, hooks: dict[int, Any], hook: Any) -> None:
        self._hooks, self._key = hooks, max(hooks, default=-1) + 1
        hooks[self._key] = hook

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Gradients:
    """Base of Tensor: what asks for gradients, and what sees them."""

    if not TYPE_CHECKING:  # checkers would take what Tensor has for missing
        __slots__ = ()

    if TYPE_CHECKING:
        _device: Device
        _node: Node | _Leaf | None
        _hooks: dict[int, Any] | None
        _view: View | None

        @property
        def dtype(self) -> DType: ...  # noqa: D102

    def requires_grad_(self, flag: bool = True) -> Self:
        """Collect gradients in ``grad`` from now on (or stop); returns the tensor itself.

        Raises: DTypeError for a type without derivatives, AutogradError on the result of a
        recorded operation when *flag* is False.
        """
        if isinstance(self._node, Node):
            if not flag:
                raise AutogradError(
                    "requires_grad: the tensor was made by a recorded operation; use .detach()"
                )
            return self
        if flag and not is_floating(self.dtype):
            raise DTypeError(
                f"requires_grad: got dtype {self.dtype}; only floating tensors have gradients: "
                "use .astype('float32')"
            )
        self._node = LEAF if flag else None
        return self

    def backward(
        self,
        gradient: TensorLike | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Add the gradients of this tensor to ``grad`` of the leaves it was computed from.

        *gradient*: that of some scalar with respect to this tensor, of its shape; may be left
        out when there is one real element. *inputs*: the only tensors that get a gradient, where
        given. See `minima.autograd.backward`.
        """
        from .autograd.engine import backward
        from .tensor import Tensor, asarray

        given, output = gradient, cast("Tensor", self)
        if not (given is None or isinstance(given, Tensor)):
            given = asarray(given, dtype=self.dtype, device=self._device)
        backward(output, given, retain_graph=retain_graph, create_graph=create_graph, inputs=inputs)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Handle:
        """Call ``hook(gradient)`` whenever the gradient of this tensor is complete.

        What it returns, unless None, replaces the gradient. Returns a handle with ``remove()``.
        """
        if self._node is None:
            raise AutogradError("register_hook: the tensor does not require grad")
        owner = self._node if isinstance(self._node, Node) else None
        hooks = self._hooks if owner is None else owner.hooks
        if hooks is None:
            hooks = {}
            if owner is None:
                self._hooks = hooks
            else:
                owner.hooks = hooks
        handle = Handle(hooks, hook)
        if RETAINED in hooks:  # what is kept is what the hooks have made of it
            hooks[RETAINED] = hooks.pop(RETAINED)
        return handle

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Handle:
        """Call ``hook(tensor)`` whenever backward has added to ``grad`` of this leaf.

        Returns a handle with ``remove()``. Raises: AutogradError unless the tensor is a leaf that
        requires grad.
        """
        if self._node is not LEAF:
            raise AutogradError(
                "register_post_accumulate_grad_hook: expected a leaf that requires grad; see "
                "register_hook for results of operations"
            )
        if self._hooks is None:
            self._hooks = {}
        return Handle(self._hooks, PostHook(hook))

    def retain_grad(self) -> None:
        """Let backward keep the gradient of this result of an operation in ``grad``, as a leaf's.

        Raises: AutogradError when the tensor does not require grad.

        >>> x = mi.Tensor(3.0, requires_grad=True)
        >>> y = x * 2
        >>> y.retain_grad()
        >>> (y * y).backward()
        >>> y.grad
        Tensor(12.)
        """
        node = self._node
        if node is None:
            raise AutogradError("retain_grad: the tensor does not require grad")
        if isinstance(node, Node) and not self.retains_grad:
            if node.hooks is None:
                node.hooks = {}
            node.hooks[RETAINED] = Retained(cast("Tensor", self))

    @property
    def retains_grad(self) -> bool:
        """Whether this is the result of an operation and keeps its gradient in ``grad``."""
        hooks = (self._node.hooks or {}) if isinstance(self._node, Node) else {}
        return RETAINED in hooks and hooks[RETAINED].tensor() is self

    def detach_(self) -> Self:
        """Take this tensor itself out of the graph: a leaf that requires no grad."""
        self._node = None
        if self._view is not None:  # in-place changes of its base do not bring it back
            self._view = View(None, ())
        return self
