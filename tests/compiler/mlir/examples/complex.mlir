func.func @complex_constant() {
  %0 = complex.constant [0.1 : f32, -0.0 : f32] : complex<f32>
  %1 = complex.constant [1.0, 2.0] : complex<f64>
  return
}

func.func @complex_create(%a: f32, %b: f64) {
  %0 = complex.create %a, %a : complex<f32>
  %1 = complex.create %b, %b : complex<f64>
  return
}

func.func @complex_re(%c: complex<f32>) {
  %0 = complex.re %c : complex<f32>
  return
}

func.func @complex_im(%c: complex<f32>) {
  %0 = complex.im %c : complex<f32>
  return
}

func.func @complex_abs(%c: complex<f32>) {
  %0 = complex.abs %c : complex<f32>
  return
}

func.func @complex_angle(%c: complex<f32>) {
  %0 = complex.angle %c : complex<f32>
  return
}

func.func @complex_add(%c: complex<f64>) {
  %0 = complex.add %c, %c : complex<f64>
  return
}

func.func @complex_sub(%c: complex<f64>) {
  %0 = complex.sub %c, %c : complex<f64>
  return
}

func.func @complex_mul(%c: complex<f64>) {
  %0 = complex.mul %c, %c : complex<f64>
  return
}

func.func @complex_div(%c: complex<f64>) {
  %0 = complex.div %c, %c : complex<f64>
  return
}

func.func @complex_pow(%c: complex<f64>) {
  %0 = complex.pow %c, %c : complex<f64>
  return
}

func.func @complex_atan2(%c: complex<f64>) {
  %0 = complex.atan2 %c, %c : complex<f64>
  return
}

func.func @complex_neg(%c: complex<f32>) {
  %0 = complex.neg %c : complex<f32>
  return
}

func.func @complex_exp(%c: complex<f32>) {
  %0 = complex.exp %c : complex<f32>
  return
}

func.func @complex_expm1(%c: complex<f32>) {
  %0 = complex.expm1 %c : complex<f32>
  return
}

func.func @complex_log(%c: complex<f32>) {
  %0 = complex.log %c : complex<f32>
  return
}

func.func @complex_log1p(%c: complex<f32>) {
  %0 = complex.log1p %c : complex<f32>
  return
}

func.func @complex_sqrt(%c: complex<f32>) {
  %0 = complex.sqrt %c : complex<f32>
  return
}

func.func @complex_rsqrt(%c: complex<f32>) {
  %0 = complex.rsqrt %c : complex<f32>
  return
}

func.func @complex_sin(%c: complex<f32>) {
  %0 = complex.sin %c : complex<f32>
  return
}

func.func @complex_cos(%c: complex<f32>) {
  %0 = complex.cos %c : complex<f32>
  return
}

func.func @complex_tan(%c: complex<f32>) {
  %0 = complex.tan %c : complex<f32>
  return
}

func.func @complex_tanh(%c: complex<f32>) {
  %0 = complex.tanh %c : complex<f32>
  return
}

func.func @complex_conj(%c: complex<f32>) {
  %0 = complex.conj %c : complex<f32>
  return
}

func.func @complex_sign(%c: complex<f32>) {
  %0 = complex.sign %c : complex<f32>
  return
}

func.func @complex_eq(%c: complex<f32>) {
  %0 = complex.eq %c, %c : complex<f32>
  return
}

func.func @complex_neq(%c: complex<f32>) {
  %0 = complex.neq %c, %c : complex<f32>
  return
}
