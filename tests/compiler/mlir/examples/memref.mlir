func.func @memref_alloc() {
  %0 = memref.alloc() : memref<4x8xf32>
  %1 = memref.alloc() {alignment = 64 : i64} : memref<f64>
  %2 = memref.alloc() : memref<8xi8, 3>
  return
}

func.func @memref_alloca() {
  %0 = memref.alloca() : memref<4x8xf32>
  %1 = memref.alloca() {alignment = 64 : i64} : memref<f64>
  %2 = memref.alloca() : memref<8xi8, 3>
  return
}

func.func @memref_dealloc(%m: memref<4xf32>) {
  memref.dealloc %m : memref<4xf32>
  return
}

func.func @memref_load(%m: memref<4x8xf32>, %s: memref<i8>, %i: index) {
  %0 = memref.load %m[%i, %i] : memref<4x8xf32>
  %1 = memref.load %s[] : memref<i8>
  return
}

func.func @memref_store(%x: f32, %m: memref<4x8xf32>, %i: index, %k: memref<4xf32, strided<[8], offset: 3>>) {
  memref.store %x, %m[%i, %i] : memref<4x8xf32>
  memref.store %x, %k[%i] : memref<4xf32, strided<[8], offset: 3>>
  return
}

func.func @memref_view(%m: memref<64xi8>, %i: index) {
  %0 = memref.view %m[%i][] : memref<64xi8> to memref<2x4xf32>
  return
}

func.func @memref_reinterpret_cast(%m: memref<8x16xf32>, %i: index) {
  %0 = memref.reinterpret_cast %m to offset: [%i], sizes: [4, 2], strides: [8, 1] : memref<8x16xf32> to memref<4x2xf32, strided<[8, 1], offset: ?>>
  return
}

func.func @memref_subview(%m: memref<8x16xf32>, %i: index) {
  %0 = memref.subview %m[%i, 0] [4, 4] [1, 1] : memref<8x16xf32> to memref<4x4xf32, strided<[16, 1], offset: ?>>
  %1 = memref.subview %m[2, 3] [1, 4] [1, 2] : memref<8x16xf32> to memref<4xf32, strided<[2], offset: 35>>
  return
}

func.func @memref_cast(%m: memref<8xf32>) {
  %0 = memref.cast %m : memref<8xf32> to memref<8xf32, strided<[1], offset: ?>>
  return
}

func.func @memref_copy(%a: memref<8xf32>, %b: memref<8xf32>) {
  memref.copy %a, %b : memref<8xf32> to memref<8xf32>
  return
}

func.func @memref_dim(%m: memref<8xf32>, %i: index) {
  %0 = memref.dim %m, %i : memref<8xf32>
  return
}

func.func @memref_extract_aligned_pointer_as_index(%m: memref<8xf32>) {
  %0 = memref.extract_aligned_pointer_as_index %m : memref<8xf32> -> index
  return
}

func.func @memref_expand_shape(%m: memref<8x16xf32>) {
  %0 = memref.expand_shape %m [[0, 1], [2]] output_shape [2, 4, 16] : memref<8x16xf32> into memref<2x4x16xf32>
  return
}

func.func @memref_collapse_shape(%m: memref<8x16xf32>) {
  %0 = memref.collapse_shape %m [[0, 1]] : memref<8x16xf32> into memref<128xf32>
  return
}

func.func @memref_atomic_rmw(%x: f32, %n: i32, %m: memref<8xf32>, %k: memref<8xi32>, %i: index) {
  %0 = memref.atomic_rmw addf %x, %m[%i] : (f32, memref<8xf32>) -> f32
  %1 = memref.atomic_rmw addi %n, %k[%i] : (i32, memref<8xi32>) -> i32
  %2 = memref.atomic_rmw andi %n, %k[%i] : (i32, memref<8xi32>) -> i32
  %3 = memref.atomic_rmw assign %x, %m[%i] : (f32, memref<8xf32>) -> f32
  %4 = memref.atomic_rmw maximumf %x, %m[%i] : (f32, memref<8xf32>) -> f32
  %5 = memref.atomic_rmw maxnumf %x, %m[%i] : (f32, memref<8xf32>) -> f32
  %6 = memref.atomic_rmw maxs %n, %k[%i] : (i32, memref<8xi32>) -> i32
  %7 = memref.atomic_rmw maxu %n, %k[%i] : (i32, memref<8xi32>) -> i32
  %8 = memref.atomic_rmw minimumf %x, %m[%i] : (f32, memref<8xf32>) -> f32
  %9 = memref.atomic_rmw minnumf %x, %m[%i] : (f32, memref<8xf32>) -> f32
  %10 = memref.atomic_rmw mins %n, %k[%i] : (i32, memref<8xi32>) -> i32
  %11 = memref.atomic_rmw minu %n, %k[%i] : (i32, memref<8xi32>) -> i32
  %12 = memref.atomic_rmw mulf %x, %m[%i] : (f32, memref<8xf32>) -> f32
  %13 = memref.atomic_rmw muli %n, %k[%i] : (i32, memref<8xi32>) -> i32
  %14 = memref.atomic_rmw ori %n, %k[%i] : (i32, memref<8xi32>) -> i32
  %15 = memref.atomic_rmw xori %n, %k[%i] : (i32, memref<8xi32>) -> i32
  return
}

func.func @affine_apply(%i: index, %j: index) {
  %0 = affine.apply affine_map<(d0, d1) -> (d0 * 2 - d1 + 3)>(%i, %j)
  return
}
