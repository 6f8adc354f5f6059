func.func @layer(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>, %b: tensor<16xf32>) -> tensor<4x16xf32> {
  %0 = "lz.dot_general"(%x, %w) {lhs_contracting = array<i64: 1>, rhs_contracting = array<i64: 0>} : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  %1 = "lz.broadcast"(%b) {axes = array<i64: 1>} : (tensor<16xf32>) -> tensor<4x16xf32>
  %2 = "lz.add"(%0, %1) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %3 = "lz.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %4 = "lz.broadcast"(%3) {axes = array<i64>} : (tensor<f32>) -> tensor<4x16xf32>
  %5 = "lz.maximum"(%2, %4) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  return %5 : tensor<4x16xf32>
}
