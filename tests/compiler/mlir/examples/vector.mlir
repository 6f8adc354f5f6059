func.func @vector_load(%m: memref<4x8xf32>, %i: index) {
  %0 = vector.load %m[%i, %i] : memref<4x8xf32>, vector<8xf32>
  return
}

func.func @vector_store(%v: vector<8xf32>, %m: memref<4x8xf32>, %i: index) {
  vector.store %v, %m[%i, %i] : memref<4x8xf32>, vector<8xf32>
  return
}

func.func @vector_maskedload(%m: memref<4x8xf32>, %i: index, %k: vector<8xi1>, %v: vector<8xf32>) {
  %0 = vector.maskedload %m[%i, %i], %k, %v : memref<4x8xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
  return
}

func.func @vector_maskedstore(%m: memref<4x8xf32>, %i: index, %k: vector<8xi1>, %v: vector<8xf32>) {
  vector.maskedstore %m[%i, %i], %k, %v : memref<4x8xf32>, vector<8xi1>, vector<8xf32>
  return
}

func.func @vector_gather(%m: memref<4x8xf32>, %i: index, %n: vector<8xi32>, %k: vector<8xi1>, %v: vector<8xf32>) {
  %0 = vector.gather %m[%i, %i] [%n], %k, %v : memref<4x8xf32>, vector<8xi32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
  return
}

func.func @vector_scatter(%m: memref<4x8xf32>, %i: index, %n: vector<8xindex>, %k: vector<8xi1>, %v: vector<8xf32>) {
  vector.scatter %m[%i, %i] [%n], %k, %v : memref<4x8xf32>, vector<8xindex>, vector<8xi1>, vector<8xf32>
  return
}

func.func @vector_broadcast(%x: f32, %v: vector<4xf32>) {
  %0 = vector.broadcast %x : f32 to vector<8xf32>
  %1 = vector.broadcast %v : vector<4xf32> to vector<2x4xf32>
  return
}

func.func @vector_extract(%v: vector<4xf32>, %w: vector<2x4xf32>, %i: index) {
  %0 = vector.extract %v[2] : f32 from vector<4xf32>
  %1 = vector.extract %v[%i] : f32 from vector<4xf32>
  %2 = vector.extract %w[1] : vector<4xf32> from vector<2x4xf32>
  %3 = vector.extract %w[1, %i] : f32 from vector<2x4xf32>
  return
}

func.func @vector_insert(%x: f32, %v: vector<4xf32>, %w: vector<2x4xf32>, %i: index) {
  %0 = vector.insert %x, %v [2] : f32 into vector<4xf32>
  %1 = vector.insert %x, %v [%i] : f32 into vector<4xf32>
  %2 = vector.insert %v, %w [1] : vector<4xf32> into vector<2x4xf32>
  return
}

func.func @vector_extract_strided_slice(%v: vector<16xf32>) {
  %0 = vector.extract_strided_slice %v {offsets = [8], sizes = [8], strides = [1]} : vector<16xf32> to vector<8xf32>
  return
}

func.func @vector_insert_strided_slice(%v: vector<8xf32>, %w: vector<16xf32>) {
  %0 = vector.insert_strided_slice %v, %w {offsets = [8], strides = [1]} : vector<8xf32> into vector<16xf32>
  return
}

func.func @vector_shuffle(%v: vector<4xf32>) {
  %0 = vector.shuffle %v, %v [0, 4, 1, 5, 2] : vector<4xf32>, vector<4xf32>
  return
}

func.func @vector_reduction(%v: vector<4xf32>, %n: vector<4xi32>, %x: f32) {
  %a = vector.reduction <add>, %v, %x : vector<4xf32> into f32
  %0 = vector.reduction <add>, %n : vector<4xi32> into i32
  %1 = vector.reduction <mul>, %n : vector<4xi32> into i32
  %2 = vector.reduction <minui>, %n : vector<4xi32> into i32
  %3 = vector.reduction <minsi>, %n : vector<4xi32> into i32
  %4 = vector.reduction <minnumf>, %v : vector<4xf32> into f32
  %5 = vector.reduction <maxui>, %n : vector<4xi32> into i32
  %6 = vector.reduction <maxsi>, %n : vector<4xi32> into i32
  %7 = vector.reduction <maxnumf>, %v : vector<4xf32> into f32
  %8 = vector.reduction <and>, %n : vector<4xi32> into i32
  %9 = vector.reduction <or>, %n : vector<4xi32> into i32
  %10 = vector.reduction <xor>, %n : vector<4xi32> into i32
  %11 = vector.reduction <minimumf>, %v : vector<4xf32> into f32
  %12 = vector.reduction <maximumf>, %v : vector<4xf32> into f32
  return
}

func.func @vector_fma(%v: vector<4xf32>) {
  %0 = vector.fma %v, %v, %v : vector<4xf32>
  return
}

func.func @vector_step() {
  %0 = vector.step : vector<8xindex>
  return
}

func.func @vector_create_mask(%i: index) {
  %0 = vector.create_mask %i : vector<8xi1>
  %1 = vector.create_mask %i, %i : vector<2x4xi1>
  return
}

func.func @vector_constant_mask() {
  %0 = vector.constant_mask [3] : vector<8xi1>
  return
}

func.func @vector_transfer_read(%m: memref<8x16xf32>, %t: tensor<16xf32>, %i: index, %x: f32, %k: vector<4xi1>) {
  %0 = vector.transfer_read %m[%i, %i], %x : memref<8x16xf32>, vector<4xf32>
  %1 = vector.transfer_read %m[%i, %i], %x, %k {in_bounds = [true]} : memref<8x16xf32>, vector<4xf32>
  %2 = vector.transfer_read %m[%i, %i], %x {in_bounds = [true], permutation_map = affine_map<(d0, d1) -> (d0)>} : memref<8x16xf32>, vector<4xf32>
  %3 = vector.transfer_read %t[%i], %x : tensor<16xf32>, vector<4xf32>
  return
}

func.func @vector_transfer_write(%m: memref<8x16xf32>, %t: tensor<16xf32>, %i: index, %v: vector<4xf32>, %k: vector<4xi1>) {
  vector.transfer_write %v, %m[%i, %i] {in_bounds = [true]} : vector<4xf32>, memref<8x16xf32>
  vector.transfer_write %v, %m[%i, %i], %k : vector<4xf32>, memref<8x16xf32>
  %0 = vector.transfer_write %v, %t[%i] : vector<4xf32>, tensor<16xf32>
  return
}

func.func @vector_shape_cast(%v: vector<8xf32>) {
  %0 = vector.shape_cast %v : vector<8xf32> to vector<2x4xf32>
  return
}

func.func @vector_bitcast(%v: vector<8xf32>) {
  %0 = vector.bitcast %v : vector<8xf32> to vector<16xi16>
  return
}

func.func @vector_interleave(%v: vector<4xf32>) {
  %0 = vector.interleave %v, %v : vector<4xf32> -> vector<8xf32>
  return
}

func.func @vector_deinterleave(%v: vector<8xf32>) {
  %0, %1 = vector.deinterleave %v : vector<8xf32> -> vector<4xf32>
  return
}

func.func @vector_transpose(%v: vector<2x4xf32>) {
  %0 = vector.transpose %v, [1, 0] : vector<2x4xf32> to vector<4x2xf32>
  return
}
