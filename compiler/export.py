"""Compiled programs as files for other languages: an object file and a C header.

Takes: a Compilation, arrays to build in. Gives: paths. What is written needs no Python, no lazir
and no library: memcpy, memmove and memset at most. Must not know: tracing, how the code came about.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lazir.runtime.abi import CONTEXT_FIELDS, STATUS_OK, WORKSPACE_ALIGNMENT
from lazir.runtime.program import ArraySpec

from .codegen.llvm import emit_llvm
from .codegen.machine import compile_ir, undefined_symbols
from .errors import LazirError
from .kernel import symbol
from .library import PREFIX, imported_symbols
from .mlir.ir import Op
from .pipeline import Compilation, array_spec
from .start import alias_pairs

Array = np.ndarray[Any, Any]

PROVIDED = frozenset({"memcpy", "memmove", "memset"})
"""What every C environment has, also a freestanding one (ISO C leaves these to the compiler)."""


class ExportError(LazirError, ValueError):
    """A program that cannot stand alone, or a name that is no C identifier."""


class Parameter(NamedTuple):
    """An array of the C function: its name there, its type, the stem of its macros."""

    name: str
    spec: ArraySpec
    macro: str


def export(
    compilation: Compilation, folder: Path, name: str, constants: Sequence[Array] = ()
) -> list[Path]:
    """Write `name.o` and `name.h` into `folder` (made where it is missing); gives both paths.

    The object is position-independent and exports `name_entry`; the header declares it and adds the
    inline C function `name`, which takes one typed pointer for each array. `constants` are arrays
    bound to the program's last inputs; their bytes become part of the object, and the C function
    does not take them. The same code gives the same bits as in this process.

    Raises ExportError where `name` is no C identifier, where a constant does not fit its input, for
    GPU programs, and for programs that call into Python or another library.

        export(Compilation(graph, named_target("x86-64-v3")), Path("build"), "layer", [weights])
    """
    _check_name(name)
    if compilation.target.is_gpu:
        raise ExportError(f"{name}: programs for {compilation.target.name} cannot be exported")
    main = compilation.loops.function(compilation.entry)
    _check_alone(name, compilation.loops.functions())
    _check_imports(name, imported_symbols(compilation.loops))
    types = compilation.start.types
    inputs, outputs = map(array_spec, types.inputs), tuple(map(array_spec, types.results))
    free, bound = _bind(name, tuple(inputs), constants)
    text = emit_llvm(compilation.loops, compilation.target, entry=_core(name, bound))
    if bound:
        head = f"define i32 @{name}_core("
        assert text.count(head) == 1
        text = text.replace(head, head.replace("define", "define internal"))
        text += _wrapper(name, len(free), bound)
    code = compile_ir(text, compilation.target)
    _check_symbols(name, code)
    hints = [v.hint for v in main.regions[0].args]
    pairs = alias_pairs(main)
    header = c_header(name, _named(name, free, outputs, hints), compilation.workspace_bytes, pairs)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.o", folder / f"{name}.h"]
    paths[0].write_bytes(code)
    paths[1].write_text(header, encoding="utf-8")
    return paths


# -- checks ----------------------------------------------------------------------------------------
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl
        const const_cast constexpr continue decltype default delete do double dynamic_cast else
        enum explicit export extern false float for friend goto if inline int int8_t int16_t
        int32_t int64_t long main memcpy memmove memset mutable namespace new noexcept not not_eq
        nullptr operator or or_eq private protected public register reinterpret_cast restrict
        return short signed sizeof static static_assert static_cast struct switch template this
        thread_local throw true try typedef typeid typename uint8_t uint16_t uint32_t uint64_t
        union unsigned using virtual void volatile wchar_t while xor xor_eq
        """,
    )
)
"""Words that neither C nor C++ takes as a name here."""


def _check_name(name: str) -> None:
    if not name or symbol(name) != name or name in _KEYWORDS or name.startswith(("_", "lz_")):
        raise ExportError(
            f"{name!r} cannot name a C function: use a letter, then letters, digits and "
            "underscores, no word of C or C++, and not lz_ in front"
        )


def _check_alone(name: str, functions: Iterable[Op]) -> None:
    """No host callbacks: there is nobody to call."""
    for op in functions:
        if "lz.callback" in op.attrs:
            raise ExportError(
                f"{name} calls back into Python (@{op.attrs['sym_name']}): leave debug.print, "
                "checks and callbacks out of what is exported"
            )


def _check_imports(name: str, symbols: Sequence[str]) -> None:
    """No LAPACK and no transforms: a program finds their functions in SciPy and NumPy."""
    if symbols:
        routines = ", ".join(s.removeprefix(PREFIX).split("_")[1] for s in symbols)
        raise ExportError(
            f"{name} calls SciPy's LAPACK or NumPy's Fourier transforms ({routines}), which an "
            "exported program does not have: leave lazir.linalg and lazir.fft out of it"
        )


def _check_symbols(name: str, code: bytes) -> None:
    """ELF objects are looked through; other formats come from the same IR."""
    if code[:6] != b"\x7fELF\x02\x01":
        return
    missing = sorted(undefined_symbols(code) - PROVIDED)
    if missing:
        raise ExportError(
            f"{name} needs {', '.join(missing)} from outside, which an exported program has not"
        )


# -- constants -------------------------------------------------------------------------------------
def _bind(
    name: str, inputs: tuple[ArraySpec, ...], constants: Sequence[Array]
) -> tuple[tuple[ArraySpec, ...], list[bytes]]:
    """The inputs that stay arguments, and the bytes of the others."""
    count = len(inputs) - len(constants)
    if count < 0:
        raise ExportError(f"{name} has {len(inputs)} inputs, not {len(constants)} to build in")
    bound = []
    for k, (spec, array) in enumerate(zip(inputs[count:], constants), count):
        array = np.asarray(array)
        if array.dtype.newbyteorder("=") != spec.numpy_dtype or array.shape != spec.shape:
            found = f"{array.dtype}[{','.join(map(str, array.shape))}]"
            raise ExportError(f"{name}: the constant for input {k} is {found}, not {spec}")
        bound.append(array.astype(spec.numpy_dtype.newbyteorder("<")).tobytes())
    return inputs[:count], bound


def _core(name: str, bound: Sequence[bytes]) -> str:
    """The function that takes all inputs: the entry itself where nothing is bound."""
    return f"{name}_core" if bound else f"{name}_entry"


def _wrapper(name: str, free: int, bound: Sequence[bytes]) -> str:
    """LLVM IR of the constants, and of an entry that adds their addresses to those it is given."""
    count = free + len(bound)
    lines, body = [], [f"  %all = alloca [{count} x ptr]"]
    for k, data in enumerate(bound):
        value = 'c"\\' + data.hex("\\") + '"' if data else "zeroinitializer"
        type = f"[{len(data)} x i8]"
        lines.append(
            f"@{name}.constant{k} = internal unnamed_addr constant {type} {value}, "
            f"align {WORKSPACE_ALIGNMENT}"
        )
    for k in range(count):
        pointer = f"@{name}.constant{k - free}"
        if k < free:
            body.append(f"  %from{k} = getelementptr ptr, ptr %in, i64 {k}")
            body.append(f"  %given{k} = load ptr, ptr %from{k}")
            pointer = f"%given{k}"
        body.append(f"  %to{k} = getelementptr ptr, ptr %all, i64 {k}")
        body.append(f"  store ptr {pointer}, ptr %to{k}")
    body.append(f"  %s = call i32 @{name}_core(ptr %all, ptr %out, ptr %workspace, ptr %ctx)")
    body.append("  ret i32 %s")
    head = f"define i32 @{name}_entry(ptr %in, ptr %out, ptr %workspace, ptr %ctx) #0 {{"
    return "\n".join(["", *lines, "", head, *body, "}", ""])


# -- the header ------------------------------------------------------------------------------------
_C_TYPES = {
    "bool": ("uint8_t", "bool, a byte that is 0 or 1"),
    "float16": ("uint16_t", "the bits of IEEE binary16"),
    "bfloat16": ("uint16_t", "the bits of bfloat16"),
    "float32": ("float", "float32"),
    "float64": ("double", "float64"),
    "complex64": ("float", "complex64, real and imaginary parts side by side"),
    "complex128": ("double", "complex128, real and imaginary parts side by side"),
    **{f"{u}int{n}": (f"{u}int{n}_t", f"{u}int{n}") for u in ("", "u") for n in (8, 16, 32, 64)},
}
"""NumPy dtype names: the C type of an element, and what it holds."""


def _named(
    name: str, free: Sequence[ArraySpec], outputs: Sequence[ArraySpec], hints: Sequence[str]
) -> tuple[list[Parameter], list[Parameter]]:
    """Inputs and outputs with names that differ from each other, in capitals too."""
    taken = {"in", "out", "workspace", "ctx", name.lower(), f"{name}_entry".lower()}

    def one(wanted: str, spec: ArraySpec) -> Parameter:
        stem = re.sub(r"^_+", "", symbol(wanted)) or "arg"
        stem = f"arg{stem}" if stem[0].isdigit() else stem
        tries = itertools.chain([stem], (f"{stem}_{k}" for k in itertools.count(1)))
        found = next(t for t in tries if t.lower() not in taken and t not in _KEYWORDS)
        taken.add(found.lower())
        return Parameter(found, spec, f"{name}_{found}".upper())

    ins = [one(hints[k] or f"arg{k}", s) for k, s in enumerate(free)]
    return ins, [one(f"out{k}", s) for k, s in enumerate(outputs)]


def c_header(
    name: str,
    parameters: tuple[list[Parameter], list[Parameter]],
    workspace_bytes: int,
    pairs: Sequence[tuple[int, int]] = (),
) -> str:
    """The header's text; C99 and C++."""
    ins, outs = parameters
    guard = f"LAZIR_{name.upper()}_H"
    parts = [
        f"/* {name}: a program compiled by lazir. C99 and C++; link with {name}.o. */",
        f"#ifndef {guard}\n#define {guard}\n\n#include <stddef.h>\n#include <stdint.h>",
        '#ifdef __cplusplus\nextern "C" {\n#endif',
        _CONTEXT.strip(),
        _sizes(name, [*ins, *outs], workspace_bytes),
        _prototype(name, ins, outs, dict(pairs)),
        _inline(name, ins, outs),
        "#ifdef __cplusplus\n}\n#endif",
        f"#endif /* {guard} */\n",
    ]
    return "\n\n".join(parts)


assert CONTEXT_FIELDS == ("parallel_for", "poll", "pool", "call", "callback")
_CONTEXT = f"""
#ifndef LZ_CTX
#define LZ_CTX
/* What a program asks of its surroundings. */
typedef struct lz_ctx lz_ctx;
typedef void (*lz_body)(void *env, int64_t chunk, lz_ctx *ctx);
struct lz_ctx {{
    /* Runs body(env, c, ctx) for every c from 0 to chunks - 1 exactly once, in any order and on any
       threads, and returns when all have ended. Results do not depend on how. */
    void (*parallel_for)(lz_ctx *ctx, lz_body body, void *env, int64_t chunks);
    /* Asked now and then in long loops; nonzero, which it must stay, ends the program early with a
       nonzero status. NULL: never. */
    int32_t (*poll)(lz_ctx *ctx);
    void *pool; /* yours */
    void *call; /* yours */
    int32_t (*callback)(lz_ctx *ctx, int64_t index, void **pointers); /* not used: NULL */
}};

static inline void lz_in_order(lz_ctx *ctx, lz_body body, void *env, int64_t chunks) {{
    for (int64_t chunk = 0; chunk < chunks; ++chunk) body(env, chunk, ctx);
}}

/* Everything on the calling thread, nothing interrupts. */
static inline lz_ctx lz_single_thread(void) {{
    lz_ctx ctx = {{lz_in_order, NULL, NULL, NULL, NULL}};
    return ctx;
}}

#define LZ_OK {STATUS_OK}
#define LZ_WORKSPACE_ALIGNMENT {WORKSPACE_ALIGNMENT}
#endif /* LZ_CTX */
"""


def _sizes(name: str, arrays: Sequence[Parameter], workspace_bytes: int) -> str:
    lines = ["/* Scratch memory that a call needs (may be NULL where it is 0), and array sizes. */"]
    lines.append(f"#define {name.upper()}_WORKSPACE_BYTES {workspace_bytes}")
    for p in arrays:
        numbers = p.spec.nbytes // _number_bytes(p.spec)
        lines.append(f"#define {p.macro}_ELEMENTS {numbers}")
        lines.append(f"#define {p.macro}_BYTES {p.spec.nbytes}")
    return "\n".join(lines)


def _number_bytes(spec: ArraySpec) -> int:
    """Bytes of the C type of an element; a complex number is two of them."""
    size = spec.numpy_dtype.itemsize
    return size // 2 if spec.dtype.startswith("complex") else size


def _prototype(
    name: str, ins: Sequence[Parameter], outs: Sequence[Parameter], pairs: Mapping[int, int]
) -> str:
    rows = [f" * in[{k}]   {_describe(p)}" for k, p in enumerate(ins)]
    for k, p in enumerate(outs):
        same = f"; may be in[{pairs[k]}], which it then overwrites" if k in pairs else ""
        rows.append(f" * out[{k}]  {_describe(p)}{same}")
    table = "\n".join(rows)
    return f"""\
/* Arrays are dense and row-major, aligned to their elements; outputs overlap nothing else.
{table}
 * workspace: {name.upper()}_WORKSPACE_BYTES bytes, aligned to LZ_WORKSPACE_ALIGNMENT; what it
 * holds does not matter before and is of no use after.
 * Returns LZ_OK, or another number where poll ended it: then the outputs are undefined. Several
 * threads may call it at once, each with a workspace and outputs of its own. */
int32_t {name}_entry(void **in, void **out, void *workspace, lz_ctx *ctx);"""


def _describe(p: Parameter) -> str:
    shape = "".join(f"[{n}]" for n in p.spec.shape) or "one element"
    return f"{p.name}: {_C_TYPES[p.spec.dtype][1]}, {shape}"


def _inline(name: str, ins: Sequence[Parameter], outs: Sequence[Parameter]) -> str:
    """The typed function around the entry."""
    arguments = [f"const {_C_TYPES[p.spec.dtype][0]} *{p.name}" for p in ins]
    arguments += [f"{_C_TYPES[p.spec.dtype][0]} *{p.name}" for p in outs]
    given = ", ".join(f"(void *){p.name}" for p in ins) or "NULL"
    taken = ", ".join(f"(void *){p.name}" for p in outs) or "NULL"
    return f"""\
/* The same with typed pointers, on the calling thread. */
static inline int {name}({", ".join([*arguments, "void *workspace"])}) {{
    void *in[] = {{{given}}};
    void *out[] = {{{taken}}};
    lz_ctx ctx = lz_single_thread();
    return (int){name}_entry(in, out, workspace, &ctx);
}}"""
