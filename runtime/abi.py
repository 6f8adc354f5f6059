"""The C conventions that generated code and the runtime share, in one place.

Takes nothing. Gives the layout of `lz_ctx` and the signatures, as LLVM text and field numbers.
Must not know: IR, how code is generated, Python's C interface.

A program exports one function:

    int32_t entry(void **in, void **out, void *workspace, lz_ctx *ctx)

It returns `STATUS_OK`, or `STATUS_INTERRUPTED` as soon as `poll` or `callback` gave nonzero, or
another number that becomes a RuntimeError. `in` and `out` hold pointers to dense row-major arrays
that are aligned to their element only; `workspace` is aligned to 64 bytes, contents undefined.

    typedef struct lz_ctx {
        void   (*parallel_for)(struct lz_ctx *, lz_body body, void *env, int64_t chunks);
        int32_t (*poll)(struct lz_ctx *);                 // may be null
        void    *pool;                                    // opaque
        void    *call;                                    // opaque
        int32_t (*callback)(struct lz_ctx *, int64_t index, void **pointers);   // may be null
    } lz_ctx;
    typedef void (*lz_body)(void *env, int64_t chunk, lz_ctx *);

- `parallel_for` runs `body(env, c, inner)` for every c in 0 … chunks−1 exactly once, on several
  threads, and returns when all have ended. A body uses the `inner` context that it is given, never
  the outer one: that is how nested use knows to run inline. After an interruption the remaining
  chunks are skipped: the results are thrown away in any case.
- `poll`: call it now and then (every few µs to ms; it costs about 25 ns) in loops that may run
  longer than 0.1 s. Nonzero means: return STATUS_INTERRUPTED at once (a body just returns). It
  stays nonzero once it was. Safe in bodies, on any thread. Null means that nobody will interrupt.
- `callback` runs host callback number `index` on the calling thread with an array of pointers whose
  meaning the two ends agree on. Nonzero: it raised; return STATUS_INTERRUPTED. Null inside bodies
  that run on other threads, and where there is no host language.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "BODY_TYPE",
    "CONTEXT_FIELDS",
    "CONTEXT_TYPE",
    "CTX_CALL",
    "CTX_CALLBACK",
    "CTX_PARALLEL_FOR",
    "CTX_POLL",
    "CTX_POOL",
    "ENTRY_TYPE",
    "STATUS_INTERRUPTED",
    "STATUS_OK",
    "WORKSPACE_ALIGNMENT",
]

CONTEXT_FIELDS: Final = ("parallel_for", "poll", "pool", "call", "callback")
CTX_PARALLEL_FOR: Final = 0
CTX_POLL: Final = 1
CTX_POOL: Final = 2
CTX_CALL: Final = 3
CTX_CALLBACK: Final = 4

#: `lz_ctx` as an LLVM struct type.
CONTEXT_TYPE: Final = "{ ptr, ptr, ptr, ptr, ptr }"
#: `i32 entry(in, out, workspace, ctx)` as an LLVM function type.
ENTRY_TYPE: Final = "i32 (ptr, ptr, ptr, ptr)"
#: `void body(env, chunk, ctx)` as an LLVM function type.
BODY_TYPE: Final = "void (ptr, i64, ptr)"

STATUS_OK: Final = 0
STATUS_INTERRUPTED: Final = 1

#: Bytes; the alignment of `workspace` and of the large arrays that the runtime allocates.
WORKSPACE_ALIGNMENT: Final = 64
