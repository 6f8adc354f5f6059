func.func private @k0_dot_general_maximum_tile_4x16(%lhs: memref<32xf32>, %at_lhs: index, %rhs: memref<128xf32>, %at_rhs: index, %out: memref<64xf32>, %at_out: index, %count: index) {
  %cst = arith.constant dense<0.0> : vector<8xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c8 = arith.constant 8 : index
  %c24 = arith.constant 24 : index
  %c32 = arith.constant 32 : index
  %c40 = arith.constant 40 : index
  %c48 = arith.constant 48 : index
  %c56 = arith.constant 56 : index
  %0:8 = scf.for %arg0 = %c0 to %count step %c1 iter_args(%arg1 = %cst, %arg2 = %cst, %arg3 = %cst, %arg4 = %cst, %arg5 = %cst, %arg6 = %cst, %arg7 = %cst, %arg8 = %cst) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>) {
    %1 = arith.addi %at_lhs, %arg0 : index
    %2 = arith.muli %arg0, %c16 : index
    %3 = arith.addi %at_rhs, %2 : index
    %4 = vector.load %rhs[%3] : memref<128xf32>, vector<8xf32>
    %5 = arith.addi %3, %c8 : index
    %6 = vector.load %rhs[%5] : memref<128xf32>, vector<8xf32>
    %7 = memref.load %lhs[%1] : memref<32xf32>
    %8 = vector.broadcast %7 : f32 to vector<8xf32>
    %9 = math.fma %8, %4, %arg1 : vector<8xf32>
    %10 = math.fma %8, %6, %arg2 : vector<8xf32>
    %11 = arith.addi %1, %c8 : index
    %12 = memref.load %lhs[%11] : memref<32xf32>
    %13 = vector.broadcast %12 : f32 to vector<8xf32>
    %14 = math.fma %13, %4, %arg3 : vector<8xf32>
    %15 = math.fma %13, %6, %arg4 : vector<8xf32>
    %16 = arith.addi %1, %c16 : index
    %17 = memref.load %lhs[%16] : memref<32xf32>
    %18 = vector.broadcast %17 : f32 to vector<8xf32>
    %19 = math.fma %18, %4, %arg5 : vector<8xf32>
    %20 = math.fma %18, %6, %arg6 : vector<8xf32>
    %21 = arith.addi %1, %c24 : index
    %22 = memref.load %lhs[%21] : memref<32xf32>
    %23 = vector.broadcast %22 : f32 to vector<8xf32>
    %24 = math.fma %23, %4, %arg7 : vector<8xf32>
    %25 = math.fma %23, %6, %arg8 : vector<8xf32>
    scf.yield %9, %10, %14, %15, %19, %20, %24, %25 : vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
  }
  vector.store %0#0, %out[%at_out] : memref<64xf32>, vector<8xf32>
  %1 = arith.addi %at_out, %c8 : index
  vector.store %0#1, %out[%1] : memref<64xf32>, vector<8xf32>
  %2 = arith.addi %at_out, %c16 : index
  vector.store %0#2, %out[%2] : memref<64xf32>, vector<8xf32>
  %3 = arith.addi %at_out, %c24 : index
  vector.store %0#3, %out[%3] : memref<64xf32>, vector<8xf32>
  %4 = arith.addi %at_out, %c32 : index
  vector.store %0#4, %out[%4] : memref<64xf32>, vector<8xf32>
  %5 = arith.addi %at_out, %c40 : index
  vector.store %0#5, %out[%5] : memref<64xf32>, vector<8xf32>
  %6 = arith.addi %at_out, %c48 : index
  vector.store %0#6, %out[%6] : memref<64xf32>, vector<8xf32>
  %7 = arith.addi %at_out, %c56 : index
  vector.store %0#7, %out[%7] : memref<64xf32>, vector<8xf32>
  return
}
func.func private @k0_dot_general_maximum(%in0: memref<4x8xf32>, %in1: memref<8x16xf32>, %in2: memref<16xf32>, %out0: memref<4x16xf32>) attributes {lz.noalias} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %cst = arith.constant 0.0 : f32
  %0 = memref.collapse_shape %in0 [[0, 1]] : memref<4x8xf32> into memref<32xf32>
  %1 = memref.collapse_shape %in1 [[0, 1]] : memref<8x16xf32> into memref<128xf32>
  %2 = memref.collapse_shape %out0 [[0, 1]] : memref<4x16xf32> into memref<64xf32>
  %3 = memref.alloca() : memref<64xf32>
  call @k0_dot_general_maximum_tile_4x16(%0, %c0, %1, %c0, %3, %c0, %c8) : (memref<32xf32>, index, memref<128xf32>, index, memref<64xf32>, index, index) -> ()
  scf.for %arg0 = %c0 to %c4 step %c1 {
    %4 = arith.muli %arg0, %c16 : index
    %5 = vector.load %3[%4] : memref<64xf32>, vector<8xf32>
    %6 = vector.load %in2[%c0] : memref<16xf32>, vector<8xf32>
    %7 = arith.addf %5, %6 : vector<8xf32>
    %8 = vector.broadcast %cst : f32 to vector<8xf32>
    %9 = arith.maximumf %7, %8 : vector<8xf32>
    %10 = arith.muli %arg0, %c16 : index
    vector.store %9, %2[%10] : memref<64xf32>, vector<8xf32>
    %11 = arith.addi %4, %c8 : index
    %12 = vector.load %3[%11] : memref<64xf32>, vector<8xf32>
    %13 = vector.load %in2[%c8] : memref<16xf32>, vector<8xf32>
    %14 = arith.addf %12, %13 : vector<8xf32>
    %15 = vector.broadcast %cst : f32 to vector<8xf32>
    %16 = arith.maximumf %14, %15 : vector<8xf32>
    %17 = arith.muli %arg0, %c16 : index
    %18 = arith.addi %17, %c8 : index
    vector.store %16, %2[%18] : memref<64xf32>, vector<8xf32>
  }
  return
}
func.func @layer(%x: memref<4x8xf32>, %w: memref<8x16xf32>, %b: memref<16xf32>, %out0: memref<4x16xf32>) attributes {lz.inputs = 3 : i64, lz.noalias, lz.outputs = 1 : i64} {
  call @k0_dot_general_maximum(%x, %w, %b, %out0) : (memref<4x8xf32>, memref<8x16xf32>, memref<16xf32>, memref<4x16xf32>) -> ()
  return
}
