"""Records of the dialects gpu and nvgpu, but gpu.module and gpu.func.

Gives: TABLE. Must not know: printing, parsing.
"""

from __future__ import annotations

from ..types import async_token, i1, i32, index
from .define import Table, define
from .kinds import BOOL, SYMBOL, UNIT, IntList, NumberOf, choice
from .rules import indexed, rank_of, require, same_element, type_of

TABLE: Table = {}

_AXES = choice("x y z", prefix="#gpu<dim ")
for _op in "block_id thread_id block_dim grid_dim".split():
    define(
        TABLE, f"gpu.{_op}", "", "result:index", "attr(dimension)",
        attrs={"dimension": _AXES}, infer={"result": lambda v: index},
        example="| " + "; ".join(f"%{a} = gpu.{_op} {a}" for a in "xyz"),
    )  # fmt: skip
for _op in "subgroup_id num_subgroups".split():
    define(
        TABLE, f"gpu.{_op}", "", "result:index", " : type(result)",
        example=f"| %0 = gpu.{_op} : index",
    )  # fmt: skip
define(
    TABLE, "gpu.lane_id", "", "result:index", "", infer={"result": lambda v: index},
    example="| %0 = gpu.lane_id",
)  # fmt: skip
define(TABLE, "gpu.barrier", "", "", "", example="| gpu.barrier")
define(
    TABLE, "gpu.shuffle", "value offset:i32 width:i32", "shuffleResult valid:i1",
    "attr(mode) %value, %offset, %width : type(value)",
    attrs={"mode": choice("xor up down idx", prefix="#gpu<shuffle_mode ")},
    infer={"shuffleResult": type_of("value"), "valid": lambda v: i1},
    example="x: f32, n: i32 | %0, %1 = gpu.shuffle xor %x, %n, %n : f32; %2, %3 = gpu.shuffle up %n, %n, %n : i32;"
    " %4, %5 = gpu.shuffle down %x, %n, %n : f32; %6, %7 = gpu.shuffle idx %x, %n, %n : f32",
)  # fmt: skip
_NONE = {
    n: lambda v: 0
    for n in ("asyncDependencies", "clusterSizeX", "clusterSizeY", "clusterSizeZ",
              "dynamicSharedMemorySize", "asyncObject")
}  # fmt: skip
define(
    TABLE, "gpu.launch_func",
    "asyncDependencies*:token gridSizeX:index gridSizeY:index gridSizeZ:index"
    " blockSizeX:index blockSizeY:index blockSizeZ:index clusterSizeX?:index clusterSizeY?:index"
    " clusterSizeZ?:index dynamicSharedMemorySize?:i32 kernelOperands* asyncObject?", "",
    "attr(kernel) blocks in (%gridSizeX, %gridSizeY, %gridSizeZ)"
    " threads in (%blockSizeX, %blockSizeY, %blockSizeZ)"
    "(?dynamicSharedMemorySize  dynamic_shared_memory_size %dynamicSharedMemorySize?)"
    "(?kernelOperands  args(typed(kernelOperands))?){dict}",
    attrs={"kernel": SYMBOL}, counts=_NONE, segments="derived",
)  # fmt: skip
define(TABLE, "gpu.return", "operands*", "", "{dict}(?operands  %operands : type(operands)?)", terminator=True)

# -- nvgpu -----------------------------------------------------------------------------------------
define(
    TABLE, "nvgpu.mma.sync", "matrixA:vector matrixB:vector matrixC:vector", "res:vector",
    "(%matrixA, %matrixB, %matrixC) : (type(matrixA), type(matrixB), type(matrixC)) -> type(res)",
    require(lambda v: v.type("matrixC") == v.type("res"), "the result {res} has the type of the accumulator {matrixC}"),
    require(lambda v: len(v.attr("mmaShape")) == 3, "mmaShape is [m, n, k]"),
    attrs={"mmaShape": IntList(), "tf32Enabled": UNIT}, optional="tf32Enabled",
    example="a: vector<4x2xf16>, b: vector<2x2xf16>, c: vector<2x2xf32> |"
    " %0 = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>",
)  # fmt: skip
define(
    TABLE, "nvgpu.ldmatrix", "srcMemref:memref indices*:index", "res:vector",
    "%srcMemref[%indices] : type(srcMemref) -> type(res)",
    indexed("srcMemref", "indices"), same_element("srcMemref", "res"),
    require(lambda v: v.type("srcMemref").space == 3, "{srcMemref} is not in shared memory (space 3)"),
    attrs={"transpose": BOOL, "numTiles": NumberOf(i32)},
    example="m: memref<16x16xf16, 3>, i: index | %0 = nvgpu.ldmatrix %m[%i, %i] {numTiles = 4 : i32, transpose = false}"
    " : memref<16x16xf16, 3> -> vector<4x2xf16>",
)  # fmt: skip
define(
    TABLE, "nvgpu.device_async_copy",
    "dst:memref dstIndices*:index src:memref srcIndices*:index srcElements?:index", "asyncToken:token",
    "%src[%srcIndices], %dst[%dstIndices], attr(dstElements)(?srcElements , %srcElements?)"
    " : type(src) to type(dst)",
    indexed("dst", "dstIndices"), indexed("src", "srcIndices"), same_element("src", "dst"),
    attrs={"dstElements": NumberOf(index), "bypassL1": UNIT}, optional="bypassL1",
    counts={"dstIndices": lambda v: rank_of(v.type("dst")), "srcIndices": lambda v: rank_of(v.type("src"))},
    infer={"asyncToken": lambda v: async_token}, segments="derived",
    example="a: memref<32x64xf32>, s: memref<32xf32, 3>, i: index |"
    " %0 = nvgpu.device_async_copy %a[%i, %i], %s[%i], 4 : memref<32x64xf32> to memref<32xf32, 3>;"
    " %1 = nvgpu.device_async_copy %a[%i, %i], %s[%i], 4, %i {bypassL1} : memref<32x64xf32> to memref<32xf32, 3>",
)  # fmt: skip
define(
    TABLE, "nvgpu.device_async_create_group", "inputTokens*:token", "asyncToken:token", "%inputTokens",
    infer={"asyncToken": lambda v: async_token},
    example="a: memref<32x64xf32>, s: memref<32xf32, 3>, i: index |"
    " %0 = nvgpu.device_async_copy %a[%i, %i], %s[%i], 4 : memref<32x64xf32> to memref<32xf32, 3>;"
    " %1 = nvgpu.device_async_create_group %0; %2 = nvgpu.device_async_create_group",
)  # fmt: skip
define(
    TABLE, "nvgpu.device_async_wait", "asyncDependencies:token", "", "%asyncDependencies",
    attrs={"numGroups": NumberOf(i32)}, optional="numGroups",
    example="| %0 = nvgpu.device_async_create_group; nvgpu.device_async_wait %0;"
    " nvgpu.device_async_wait %0 {numGroups = 1 : i32}",
)  # fmt: skip
