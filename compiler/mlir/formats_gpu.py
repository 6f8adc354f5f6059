"""Records of the dialects gpu and nvgpu, but gpu.module and gpu.func.

Gives: TABLE. Must not know: printing, parsing.
"""

from __future__ import annotations

from ..types import async_token, i1, i32, index
from .define import Table, define, each
from .kinds import BOOL, SYMBOL, UNIT, IntList, NumberOf, choice
from .rules import indexed, rank_of, require, same_element, type_of

TABLE: Table = {}

_AXES = choice("x y z", prefix="#gpu<dim ")
for _op in each("block_id thread_id block_dim grid_dim"):
    define(
        TABLE,
        f"gpu.{_op}",
        "",
        "result:index",
        "attr(dimension)",
        attrs={"dimension": _AXES},
        infer={"result": lambda v: index},
    )
for _op in each("subgroup_id num_subgroups"):
    define(
        TABLE,
        f"gpu.{_op}",
        "",
        "result:index",
        " : type(result)",
    )
define(
    TABLE,
    "gpu.lane_id",
    "",
    "result:index",
    "",
    infer={"result": lambda v: index},
)
define(
    TABLE,
    "gpu.barrier",
    "",
    "",
    "",
)
define(
    TABLE,
    "gpu.shuffle",
    "value offset:i32 width:i32",
    "shuffleResult valid:i1",
    "attr(mode) %value, %offset, %width : type(value)",
    attrs={"mode": choice("xor up down idx", prefix="#gpu<shuffle_mode ")},
    infer={"shuffleResult": type_of("value"), "valid": lambda v: i1},
)
_NONE = {
    n: lambda v: 0
    for n in ("asyncDependencies", "clusterSizeX", "clusterSizeY", "clusterSizeZ",
              "dynamicSharedMemorySize", "asyncObject")
}  # fmt: skip
define(
    TABLE,
    "gpu.launch_func",
    "asyncDependencies*:token gridSizeX:index gridSizeY:index gridSizeZ:index"
    " blockSizeX:index blockSizeY:index blockSizeZ:index clusterSizeX?:index clusterSizeY?:index"
    " clusterSizeZ?:index dynamicSharedMemorySize?:i32 kernelOperands* asyncObject?",
    "",
    "attr(kernel) blocks in (%gridSizeX, %gridSizeY, %gridSizeZ)"
    " threads in (%blockSizeX, %blockSizeY, %blockSizeZ)"
    "(?dynamicSharedMemorySize  dynamic_shared_memory_size %dynamicSharedMemorySize?)"
    "(?kernelOperands  args(typed(kernelOperands))?){dict}",
    attrs={"kernel": SYMBOL},
    counts=_NONE,
    segments="derived",
)
define(
    TABLE,
    "gpu.memcpy",
    "dst:memref src:memref",
    "",
    "%dst, %src : type(dst), type(src)",
    same_element("dst", "src"),
)
define(
    TABLE,
    "gpu.return",
    "operands*",
    "",
    "{dict}(?operands  %operands : type(operands)?)",
    terminator=True,
)

# -- nvgpu -----------------------------------------------------------------------------------------
define(
    TABLE,
    "nvgpu.mma.sync",
    "matrixA:vector matrixB:vector matrixC:vector",
    "res:vector",
    "(%matrixA, %matrixB, %matrixC) : (type(matrixA), type(matrixB), type(matrixC)) -> type(res)",
    require(
        lambda v: v.type("matrixC") == v.type("res"),
        "the result {res} has the type of the accumulator {matrixC}",
    ),
    require(lambda v: len(v.attr("mmaShape")) == 3, "mmaShape is [m, n, k]"),
    attrs={"mmaShape": IntList(), "tf32Enabled": UNIT},
    optional="tf32Enabled",
)
define(
    TABLE,
    "nvgpu.ldmatrix",
    "srcMemref:memref indices*:index",
    "res:vector",
    "%srcMemref[%indices] : type(srcMemref) -> type(res)",
    indexed("srcMemref", "indices"),
    same_element("srcMemref", "res"),
    require(
        lambda v: v.type("srcMemref").space == 3, "{srcMemref} is not in shared memory (space 3)"
    ),
    attrs={"transpose": BOOL, "numTiles": NumberOf(i32)},
)
define(
    TABLE,
    "nvgpu.device_async_copy",
    "dst:memref dstIndices*:index src:memref srcIndices*:index srcElements?:index",
    "asyncToken:token",
    "%src[%srcIndices], %dst[%dstIndices], attr(dstElements)(?srcElements , %srcElements?)"
    " : type(src) to type(dst)",
    indexed("dst", "dstIndices"),
    indexed("src", "srcIndices"),
    same_element("src", "dst"),
    attrs={"dstElements": NumberOf(index), "bypassL1": UNIT},
    optional="bypassL1",
    counts={
        "dstIndices": lambda v: rank_of(v.type("dst")),
        "srcIndices": lambda v: rank_of(v.type("src")),
    },
    infer={"asyncToken": lambda v: async_token},
    segments="derived",
)
define(
    TABLE,
    "nvgpu.device_async_create_group",
    "inputTokens*:token",
    "asyncToken:token",
    "%inputTokens",
    infer={"asyncToken": lambda v: async_token},
)
define(
    TABLE,
    "nvgpu.device_async_wait",
    "asyncDependencies:token",
    "",
    "%asyncDependencies",
    attrs={"numGroups": NumberOf(i32)},
    optional="numGroups",
)
