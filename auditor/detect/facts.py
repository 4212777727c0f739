"""What a run says of itself: framework, ranks, host and manifest, for rules to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor.detect.envelope import Envelope


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What one process declared in its ``start`` and ``manifest`` frames; empty while it has not.

    A rule reads it as ``view.run``: the facts as they were known when the view came. A manifest may
    come again (what is observed in the first steps completes it), so a rule does not keep it.
    """

    framework: str = ""
    project: str = ""
    host: str = ""
    world_size: int = 1
    manifest: Mapping[str, Any] = field(default_factory=dict)
    baseline: Envelope | None = None
    """What the run is held against, if there is anything."""
    asked: str = ""
    """The baseline that the job named."""

    def started(self, header: Mapping[str, Any]) -> RunFacts:
        """These facts with those of a ``start`` frame."""
        size = header.get("world_size")
        return replace(
            self,
            framework=_word(header, "framework"),
            project=_word(header, "project"),
            host=_word(header, "host"),
            world_size=size if isinstance(size, int) and size > 0 else 1,
            asked=_word(header, "baseline"),
        )

    def declared(self, manifest: Any) -> RunFacts:
        """These facts with another manifest; one that is no object is none."""
        return replace(self, manifest=manifest if isinstance(manifest, Mapping) else {})

    def section(self, *path: str) -> Mapping[str, Any]:
        """The object at ``path`` of the manifest, e.g. ``section("observed", "data")``; empty if there is none."""
        found: Any = self.manifest
        for part in path:
            found = found.get(part) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @property
    def loss(self) -> Mapping[str, Any]:
        """What is declared of the loss."""
        return self.section("loss")

    @property
    def optimizer(self) -> Mapping[str, Any]:
        """What is declared of the optimizer."""
        return self.section("optimizer")

    @property
    def layers(self) -> Iterator[Mapping[str, Any]]:
        """The declared layers in forward order: objects with ``name`` and ``class``."""
        layers = self.section("model").get("layers")
        return (layer for layer in (layers if isinstance(layers, list) else ()) if isinstance(layer, Mapping))

    @property
    def tensors(self) -> Mapping[str, Any]:
        """The declared parameters: name to ``{"shape", "dtype"}``."""
        return self.section("model", "tensors")


def _word(header: Mapping[str, Any], name: str) -> str:
    word = header.get(name)
    return word if isinstance(word, str) else ""
