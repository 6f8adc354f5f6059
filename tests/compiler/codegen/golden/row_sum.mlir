func.func @row_sum(%a: memref<5x64xf32>, %o: memref<5xf32>) attributes {lz.inputs = 1 : i64, lz.noalias, lz.outputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant dense<0.0> : vector<8xf32>
  %tenth = arith.constant 0.1 : f32
  scf.parallel (%i) = (%c0) to (%c5) step (%c1) {
    %s:2 = scf.for %j = %c0 to %c64 step %c16 iter_args(%s0 = %z, %s1 = %z) -> (vector<8xf32>, vector<8xf32>) {
      %j1 = arith.addi %j, %c8 : index
      %v0 = vector.load %a[%i, %j] : memref<5x64xf32>, vector<8xf32>
      %v1 = vector.load %a[%i, %j1] : memref<5x64xf32>, vector<8xf32>
      %t0 = arith.addf %s0, %v0 : vector<8xf32>
      %t1 = arith.addf %s1, %v1 : vector<8xf32>
      scf.yield %t0, %t1 : vector<8xf32>, vector<8xf32>
    }
    %t = arith.addf %s#0, %s#1 : vector<8xf32>
    %l4 = vector.extract_strided_slice %t {offsets = [0], sizes = [4], strides = [1]} : vector<8xf32> to vector<4xf32>
    %h4 = vector.extract_strided_slice %t {offsets = [4], sizes = [4], strides = [1]} : vector<8xf32> to vector<4xf32>
    %t4 = arith.addf %l4, %h4 : vector<4xf32>
    %l2 = vector.extract_strided_slice %t4 {offsets = [0], sizes = [2], strides = [1]} : vector<4xf32> to vector<2xf32>
    %h2 = vector.extract_strided_slice %t4 {offsets = [2], sizes = [2], strides = [1]} : vector<4xf32> to vector<2xf32>
    %t2 = arith.addf %l2, %h2 : vector<2xf32>
    %x0 = vector.extract %t2[0] : f32 from vector<2xf32>
    %x1 = vector.extract %t2[1] : f32 from vector<2xf32>
    %r = arith.addf %x0, %x1 : f32
    %m = arith.mulf %r, %tenth : f32
    memref.store %m, %o[%i] : memref<5xf32>
    scf.reduce
  }
  return
}
