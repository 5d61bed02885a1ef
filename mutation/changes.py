"""The changes that mutmut makes to a file, without those of words and types, and the seeded sample of them."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import (
    NEVER_MUTATE_FUNCTION_NAMES,
    Mutation,
    MutationVisitor,
    OuterFunctionProvider,
)
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from mutation.change import Change

LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}


class _Visitor(MutationVisitor):  # type: ignore[misc]
    """mutmut's visitor, also inside decorated functions; not inside log calls, whose words are for people."""

    METADATA_DEPENDENCIES = (PositionProvider, OuterFunctionProvider)

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return node.name.value in NEVER_MUTATE_FUNCTION_NAMES or node in self._enum_creation_hooks
        return _logs(node) or bool(super()._skip_node_and_children(node))


def changes(root: Path, path: str) -> Iterator["Found"]:
    """All changes of one file's functions."""
    code = (root / path).read_text()
    wrapper = MetadataWrapper(cst.parse_module(code))
    visitor = _Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    module = wrapper.visit(visitor)
    positions = wrapper.resolve(PositionProvider)
    names = dict(_functions(wrapper.module))
    unread = _read_by_people(wrapper.module)
    seen: Counter[str] = Counter()
    for mutation in visitor.mutations:
        function = mutation.contained_by_top_level_function
        if not isinstance(function, cst.FunctionDef) or function not in names:
            continue
        if mutation.original_node in unread or _changes_no_meaning(mutation):
            continue
        before = module.code_for_node(mutation.original_node)
        after = module.code_for_node(mutation.mutated_node)
        text = f"{path}|{names[function]}|{before}|{after}"
        seen[text] += 1
        key = hashlib.sha256(f"{text}|{seen[text]}".encode()).hexdigest()[:12]
        at = positions[mutation.original_node].start
        in_body = (at.line, at.column) >= _place(positions[function.body].start)
        yield Found(key, path, names[function], at.line, before.strip(), after.strip(), in_body, module, mutation)


@dataclass(frozen=True)
class Found:
    """A change whose new file is not written yet."""

    key: str
    path: str
    function: str
    line: int
    before: str
    after: str
    in_body: bool
    module: cst.Module
    mutation: Mutation

    def made(self) -> Change:
        """The change with the whole new text of its file."""
        new = self.module.deep_replace(self.mutation.original_node, self.mutation.mutated_node)
        source = new.code if isinstance(new, cst.Module) else self.module.code
        return Change(self.key, self.path, self.function, self.line, self.before, self.after, self.in_body, source)


def sample(found: Sequence[Found], size: int, seed: int) -> list[Found]:
    """`size` of them (0: all), the same for the same seed, whatever is added or removed elsewhere."""
    drawn = sorted(found, key=lambda change: hashlib.sha256(f"{seed}:{change.key}".encode()).digest())
    return drawn[:size] if size else drawn


def _functions(module: cst.Module) -> Iterator[tuple[cst.FunctionDef, str]]:
    for statement in module.body:
        if isinstance(statement, cst.FunctionDef):
            yield statement, statement.name.value
        elif isinstance(statement, cst.ClassDef) and isinstance(statement.body, cst.IndentedBlock):
            for inner in statement.body.body:
                if isinstance(inner, cst.FunctionDef):
                    yield inner, f"{statement.name.value}.{inner.name.value}"


def _read_by_people(module: cst.Module) -> set[cst.CSTNode]:
    """Sentences of exceptions, and the first argument of `cast`, which only a type checker reads."""
    raised = (text for node in m.findall(module, m.Raise()) for text in m.findall(node, m.SimpleString()))
    casts = (cst.ensure_type(node, cst.Call) for node in m.findall(module, m.Call(func=m.Name("cast"))))
    types = (node for call in casts for node in m.findall(call.args[0], m.SimpleString()))
    return {*filter(_is_sentence, raised), *types}


def _changes_no_meaning(mutation: Mutation) -> bool:
    """Another case of a sentence or an SQL keyword, where `XX` at both ends is the same question; `cast(None, …)`."""
    before, after = mutation.original_node, mutation.mutated_node
    if isinstance(before, cst.SimpleString) and isinstance(after, cst.SimpleString):
        return _is_sentence(before) and before.value.lower() == after.value.lower()
    return bool(m.matches(after, m.Call(func=m.Name("cast"), args=[m.Arg(value=m.Name("None")), m.Arg()])))


def _is_sentence(text: cst.CSTNode) -> bool:
    return " " in cst.ensure_type(text, cst.SimpleString).value.strip("\"' ")


def _logs(node: cst.CSTNode) -> bool:
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and isinstance(node.func.value, cst.Name)
        and node.func.value.value == "logger"
        and node.func.attr.value in LOG_METHODS
    )


def _place(position: object) -> tuple[int, int]:
    return position.line, position.column  # type: ignore[attr-defined]
