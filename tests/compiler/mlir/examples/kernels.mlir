// GPU kernels and their launch.
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @sum(%a: memref<32x64xf32>, %o: memref<32xf32>) workgroup(%s : memref<32xf32, 3>, %t : memref<4xf16, 3>) private(%p : memref<1xf32, 5>) kernel attributes {known_block_size = array<i32: 32, 1, 1>, known_grid_size = array<i32: 32, 1, 1>} {
      %c0 = arith.constant 0 : index
      %x = memref.load %a[%c0, %c0] : memref<32x64xf32>
      memref.store %x, %s[%c0] : memref<32xf32, 3>
      gpu.barrier
      gpu.return
    }
    gpu.func @helper(%x: f32) -> f32 {
      gpu.return %x : f32
    }
  }
  gpu.module @others [#nvvm.target<chip = "sm_80">] {
    gpu.func @nothing() kernel {
      gpu.return
    }
  }
  func.func @main(%a: memref<32x64xf32>, %o: memref<32xf32>, %bytes: i32) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    gpu.launch_func @kernels::@sum blocks in (%c32, %c1, %c1) threads in (%c32, %c1, %c1) args(%a : memref<32x64xf32>, %o : memref<32xf32>)
    gpu.launch_func @kernels::@sum blocks in (%c32, %c1, %c1) threads in (%c32, %c1, %c1) dynamic_shared_memory_size %bytes args(%a : memref<32x64xf32>, %o : memref<32xf32>)
    gpu.launch_func @others::@nothing blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
}
