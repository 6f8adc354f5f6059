module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @warp_sum(%a: memref<8x64xf32>, %o: memref<8xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>, lz.noalias} {
      %c0 = arith.constant 0 : index
      %c32 = arith.constant 32 : index
      %c64 = arith.constant 64 : index
      %z = arith.constant 0.0 : f32
      %w = arith.constant 32 : i32
      %d16 = arith.constant 16 : i32
      %row = gpu.block_id x
      %lane = gpu.thread_id x
      %s = scf.for %j = %lane to %c64 step %c32 iter_args(%acc = %z) -> (f32) {
        %v = memref.load %a[%row, %j] : memref<8x64xf32>
        %n = arith.addf %acc, %v : f32
        scf.yield %n : f32
      }
      %x, %ok = gpu.shuffle xor %s, %d16, %w : f32
      %r = arith.addf %s, %x : f32
      %first = arith.cmpi eq, %lane, %c0 : index
      scf.if %first {
        memref.store %r, %o[%row] : memref<8xf32>
      }
      gpu.return
    }
  }
}
