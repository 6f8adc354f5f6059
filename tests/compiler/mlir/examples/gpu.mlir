func.func @gpu_block_id() {
  %x = gpu.block_id x
  %y = gpu.block_id y
  %z = gpu.block_id z
  return
}

func.func @gpu_thread_id() {
  %x = gpu.thread_id x
  %y = gpu.thread_id y
  %z = gpu.thread_id z
  return
}

func.func @gpu_block_dim() {
  %x = gpu.block_dim x
  %y = gpu.block_dim y
  %z = gpu.block_dim z
  return
}

func.func @gpu_grid_dim() {
  %x = gpu.grid_dim x
  %y = gpu.grid_dim y
  %z = gpu.grid_dim z
  return
}

func.func @gpu_subgroup_id() {
  %0 = gpu.subgroup_id : index
  return
}

func.func @gpu_num_subgroups() {
  %0 = gpu.num_subgroups : index
  return
}

func.func @gpu_lane_id() {
  %0 = gpu.lane_id
  return
}

func.func @gpu_barrier() {
  gpu.barrier
  return
}

func.func @gpu_memcpy(%d: memref<8xf32>, %s: memref<8xf32>) {
  gpu.memcpy %d, %s : memref<8xf32>, memref<8xf32>
  return
}

func.func @gpu_shuffle(%x: f32, %n: i32) {
  %0, %1 = gpu.shuffle xor %x, %n, %n : f32
  %2, %3 = gpu.shuffle up %n, %n, %n : i32
  %4, %5 = gpu.shuffle down %x, %n, %n : f32
  %6, %7 = gpu.shuffle idx %x, %n, %n : f32
  return
}

func.func @nvgpu_mma_sync(%a: vector<4x2xf16>, %b: vector<2x2xf16>, %c: vector<2x2xf32>) {
  %0 = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
  return
}

func.func @nvgpu_ldmatrix(%m: memref<16x16xf16, 3>, %i: index) {
  %0 = nvgpu.ldmatrix %m[%i, %i] {numTiles = 4 : i32, transpose = false} : memref<16x16xf16, 3> -> vector<4x2xf16>
  return
}

func.func @nvgpu_device_async_copy(%a: memref<32x64xf32>, %s: memref<32xf32, 3>, %i: index) {
  %0 = nvgpu.device_async_copy %a[%i, %i], %s[%i], 4 : memref<32x64xf32> to memref<32xf32, 3>
  %1 = nvgpu.device_async_copy %a[%i, %i], %s[%i], 4, %i {bypassL1} : memref<32x64xf32> to memref<32xf32, 3>
  return
}

func.func @nvgpu_device_async_create_group(%a: memref<32x64xf32>, %s: memref<32xf32, 3>, %i: index) {
  %0 = nvgpu.device_async_copy %a[%i, %i], %s[%i], 4 : memref<32x64xf32> to memref<32xf32, 3>
  %1 = nvgpu.device_async_create_group %0
  %2 = nvgpu.device_async_create_group
  return
}

func.func @nvgpu_device_async_wait() {
  %0 = nvgpu.device_async_create_group
  nvgpu.device_async_wait %0
  nvgpu.device_async_wait %0 {numGroups = 1 : i32}
  return
}
