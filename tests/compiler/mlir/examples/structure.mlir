// Functions, control flow, linalg.generic and globals: what has reading and writing of its own.
#ij = affine_map<(i, j) -> (i, j)>
#j = affine_map<(i, j) -> (j)>
#i = affine_map<(i, j) -> (i)>
#window = affine_map<(i, k) -> (i * 2 + k)>
#out = affine_map<(i, k) -> (i)>
#k = affine_map<(i, k) -> (k)>
memref.global "private" constant @table : memref<2x2xf32> = dense<[[1.0, 2.0], [3.0, 0x7FC00000]]> {alignment = 64 : i64}
memref.global @scratch : memref<4xi8> = uninitialized
memref.global "private" @outside : memref<4xf64>
func.func private @declared(tensor<4xf32>, f32) -> (f32, i32)
func.func private @attributed(memref<4xf32> {llvm.noalias}, index) attributes {llvm.emit_c_interface, lz.n = 3 : i64}
func.func @empty() {
  return
}
func.func @calls(%x: f32 {lz.name = "x"}, %t: tensor<4xf32>) -> (f32 {lz.first}, i32) attributes {lz.kind = "map", lz.l = [1, 2.5, "a", true, [3 : i32]]} {
  %r:2 = call @declared(%t, %x) : (tensor<4xf32>, f32) -> (f32, i32)
  call @empty() : () -> ()
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    func.call @empty() : () -> ()
  }
  return %r#0, %r#1 : f32, i32
}
func.func @tables(%i: index) -> f32 {
  %0 = memref.get_global @table : memref<2x2xf32>
  %1 = memref.load %0[%i, %i] : memref<2x2xf32>
  return %1 : f32
}
func.func @loops(%n: index, %x: f32, %v: vector<4xf32>, %m: memref<8x8xf32>, %k: i32) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> (f32) {
    %b = arith.addf %a, %x : f32
    scf.yield %b : f32
  }
  %two:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %v) -> (f32, vector<4xf32>) {
    scf.yield %a, %b : f32, vector<4xf32>
  }
  scf.for %i = %k to %k step %k : i32 {
    scf.for %j = %c0 to %n step %c1 {
    }
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    scf.parallel (%j, %l) = (%c0, %c0) to (%n, %n) step (%c1, %c1) {
      memref.store %x, %m[%j, %l] : memref<8x8xf32>
      scf.reduce
    }
    scf.reduce
  }
  %total:2 = scf.parallel (%i) = (%c0) to (%n) step (%c1) init (%x, %k) -> (f32, i32) {
    scf.reduce(%x, %k : f32, i32) {
    ^bb0(%p: f32, %q: f32):
      %s = arith.addf %p, %q : f32
      scf.reduce.return %s : f32
    }, {
    ^bb0(%p: i32, %q: i32):
      %s = arith.addi %p, %q : i32
      scf.reduce.return %s : i32
    }
  }
  return %sum : f32
}
func.func @branches(%c: i1, %x: f32, %i: index) -> f32 {
  scf.if %c {
  }
  scf.if %c {
    func.call @empty() : () -> ()
  } else {
    scf.if %c {
    }
  }
  %0 = scf.if %c -> (f32) {
    scf.yield %x : f32
  } else {
    %y = arith.negf %x : f32
    scf.yield %y : f32
  }
  %1:2 = scf.if %c -> (f32, index) {
    scf.yield %x, %i : f32, index
  } else {
    scf.yield %0, %i : f32, index
  }
  %2 = scf.index_switch %i -> f32
  case 2 {
    scf.yield %x : f32
  }
  case -5 {
    scf.yield %0 : f32
  }
  default {
    scf.yield %1#0 : f32
  }
  %3:2 = scf.index_switch %i -> f32, index
  case 0 {
    scf.yield %x, %i : f32, index
  }
  default {
    scf.yield %x, %i : f32, index
  }
  scf.index_switch %i
  default {
  }
  return %2 : f32
}
func.func @whiles(%x: f32, %n: i32, %c: i1) -> i32 {
  %r = scf.while (%a = %x, %b = %n) : (f32, i32) -> i32 {
    %z = arith.constant 0.0 : f32
    %p = arith.cmpf ogt, %a, %z : f32
    scf.condition(%p) %b : i32
  } do {
  ^bb0(%b: i32):
    scf.yield %x, %b : f32, i32
  }
  %s:2 = scf.while (%a = %x) : (f32) -> (f32, i32) {
    scf.condition(%c) %a, %n : f32, i32
  } do {
  ^bb0(%a: f32, %b: i32):
    scf.yield %a : f32
  }
  scf.while : () -> () {
    scf.condition(%c)
  } do {
    scf.yield
  }
  return %r : i32
}
func.func @generics(%a: tensor<4x8xf32>, %b: tensor<8xf32>, %w: tensor<9xf32>, %e: tensor<3xf32>, %s: f32, %m: memref<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tensor.empty() : tensor<4x8xf32>
  %1 = linalg.generic {indexing_maps = [#ij, #j, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<4x8xf32>, tensor<8xf32>) outs(%0 : tensor<4x8xf32>) attrs = {lz.note = "bias"} {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %r = linalg.index 1 : index
    %q = arith.addf %x, %y : f32
    linalg.yield %q : f32
  } -> tensor<4x8xf32>
  %rows = tensor.empty() : tensor<4xf32>
  %2:2 = linalg.generic {indexing_maps = [#ij, #i, #ij], iterator_types = ["parallel", "reduction"]}
      ins(%a : tensor<4x8xf32>) outs(%rows, %0 : tensor<4xf32>, tensor<4x8xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %q = arith.maximumf %x, %y : f32
    linalg.yield %q, %x : f32, f32
  } -> (tensor<4xf32>, tensor<4x8xf32>)
  %shape = tensor.empty() : tensor<4xi8>
  %3 = linalg.generic {indexing_maps = [#window, #k, #out], iterator_types = ["parallel", "reduction"]}
      ins(%w, %shape : tensor<9xf32>, tensor<4xi8>) outs(%e : tensor<3xf32>) {
  ^bb0(%x: f32, %u: i8, %y: f32):
    %q = arith.addf %x, %y : f32
    linalg.yield %q : f32
  } -> tensor<3xf32>
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> ()>, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%s : f32) outs(%m : memref<4x8xf32>) {
  ^bb0(%x: f32, %z: f32):
    linalg.yield %x : f32
  }
  return %1 : tensor<4x8xf32>
}
