func.func @linalg_fill(%x: f32, %t: tensor<8x16xf32>, %m: memref<8xf32>) {
  %0 = linalg.fill ins(%x : f32) outs(%t : tensor<8x16xf32>) -> tensor<8x16xf32>
  linalg.fill ins(%x : f32) outs(%m : memref<8xf32>)
  return
}
