func.func @tensor_empty() {
  %0 = tensor.empty() : tensor<4x8xf32>
  %1 = tensor.empty() : tensor<f32>
  return
}

func.func @tensor_extract(%t: tensor<4x8xf32>, %s: tensor<i1>, %i: index) {
  %0 = tensor.extract %t[%i, %i] : tensor<4x8xf32>
  %1 = tensor.extract %s[] : tensor<i1>
  return
}

func.func @tensor_insert(%x: f32, %t: tensor<4x8xf32>, %i: index) {
  %0 = tensor.insert %x into %t[%i, %i] : tensor<4x8xf32>
  return
}

func.func @tensor_extract_slice(%t: tensor<8x16xf32>, %i: index) {
  %0 = tensor.extract_slice %t[0, 2] [4, 4] [1, 2] : tensor<8x16xf32> to tensor<4x4xf32>
  %1 = tensor.extract_slice %t[%i, 0] [1, 16] [1, 1] : tensor<8x16xf32> to tensor<16xf32>
  return
}

func.func @tensor_insert_slice(%s: tensor<4x4xf32>, %t: tensor<8x16xf32>, %i: index) {
  %0 = tensor.insert_slice %s into %t[%i, 2] [4, 4] [1, 2] : tensor<4x4xf32> into tensor<8x16xf32>
  return
}

func.func @tensor_expand_shape(%m: tensor<8x16xf32>, %s: tensor<f32>) {
  %0 = tensor.expand_shape %m [[0, 1], [2]] output_shape [2, 4, 16] : tensor<8x16xf32> into tensor<2x4x16xf32>
  %1 = tensor.expand_shape %s [] output_shape [1, 1] : tensor<f32> into tensor<1x1xf32>
  return
}

func.func @tensor_collapse_shape(%m: tensor<8x16xf32>, %s: tensor<1x1xf32>) {
  %0 = tensor.collapse_shape %m [[0, 1]] : tensor<8x16xf32> into tensor<128xf32>
  %1 = tensor.collapse_shape %s [] : tensor<1x1xf32> into tensor<f32>
  return
}

func.func @tensor_pad(%t: tensor<8x16xf32>, %x: f32) {
  %0 = tensor.pad %t low[0, 1] high[2, 3] {
  ^bb0(%i: index, %j: index):
    tensor.yield %x : f32
  } : tensor<8x16xf32> to tensor<10x20xf32>
  return
}

func.func @tensor_splat(%x: f32) {
  %0 = tensor.splat %x : tensor<4x8xf32>
  return
}

func.func @tensor_from_elements(%x: f32) {
  %0 = tensor.from_elements %x, %x : tensor<2xf32>
  %1 = tensor.from_elements %x : tensor<f32>
  return
}

func.func @tensor_generate(%x: f32) {
  %0 = tensor.generate {
  ^bb0(%i: index, %j: index):
    tensor.yield %x : f32
  } : tensor<4x8xf32>
  return
}

func.func @tensor_dim(%t: tensor<8xf32>, %i: index) {
  %0 = tensor.dim %t, %i : tensor<8xf32>
  return
}

func.func @tensor_cast(%t: tensor<8xf32>) {
  %0 = tensor.cast %t : tensor<8xf32> to tensor<8xf32>
  return
}
