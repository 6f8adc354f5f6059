func.func @arith_constant() {
  %0 = arith.constant 0 : index
  %1 = arith.constant true
  %2 = arith.constant -3 : i32
  %3 = arith.constant 0.1 : f32
  %4 = arith.constant 0x7F800000 : f32
  %5 = arith.constant -0.0 : f64
  %6 = arith.constant 1.0e-05 : f16
  %7 = arith.constant 0x7FC0 : bf16
  %8 = arith.constant dense<[1, 2]> : vector<2xi8>
  %9 = arith.constant dense<false> : vector<4xi1>
  %10 = arith.constant dense<[[0.1, -1.0e+30]]> : tensor<1x2xf64>
  %11 = arith.constant dense<0.1> : vector<8xbf16>
  %12 = arith.constant 7 : i64
  %13 = arith.constant 0.5 : f64
  %14 = arith.constant dense<(1.0,-0.0)> : tensor<3xcomplex<f32>>
  %15 = arith.constant dense<> : tensor<0x2xi32>
  return
}

func.func @arith_addi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.addi %a, %a : i32
  %1 = arith.addi %b, %b : vector<4xi64>
  %2 = arith.addi %c, %c : index
  return
}

func.func @arith_subi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.subi %a, %a : i32
  %1 = arith.subi %b, %b : vector<4xi64>
  %2 = arith.subi %c, %c : index
  return
}

func.func @arith_muli(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.muli %a, %a : i32
  %1 = arith.muli %b, %b : vector<4xi64>
  %2 = arith.muli %c, %c : index
  return
}

func.func @arith_divsi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.divsi %a, %a : i32
  %1 = arith.divsi %b, %b : vector<4xi64>
  %2 = arith.divsi %c, %c : index
  return
}

func.func @arith_divui(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.divui %a, %a : i32
  %1 = arith.divui %b, %b : vector<4xi64>
  %2 = arith.divui %c, %c : index
  return
}

func.func @arith_remsi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.remsi %a, %a : i32
  %1 = arith.remsi %b, %b : vector<4xi64>
  %2 = arith.remsi %c, %c : index
  return
}

func.func @arith_remui(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.remui %a, %a : i32
  %1 = arith.remui %b, %b : vector<4xi64>
  %2 = arith.remui %c, %c : index
  return
}

func.func @arith_floordivsi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.floordivsi %a, %a : i32
  %1 = arith.floordivsi %b, %b : vector<4xi64>
  %2 = arith.floordivsi %c, %c : index
  return
}

func.func @arith_ceildivsi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.ceildivsi %a, %a : i32
  %1 = arith.ceildivsi %b, %b : vector<4xi64>
  %2 = arith.ceildivsi %c, %c : index
  return
}

func.func @arith_ceildivui(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.ceildivui %a, %a : i32
  %1 = arith.ceildivui %b, %b : vector<4xi64>
  %2 = arith.ceildivui %c, %c : index
  return
}

func.func @arith_maxsi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.maxsi %a, %a : i32
  %1 = arith.maxsi %b, %b : vector<4xi64>
  %2 = arith.maxsi %c, %c : index
  return
}

func.func @arith_maxui(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.maxui %a, %a : i32
  %1 = arith.maxui %b, %b : vector<4xi64>
  %2 = arith.maxui %c, %c : index
  return
}

func.func @arith_minsi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.minsi %a, %a : i32
  %1 = arith.minsi %b, %b : vector<4xi64>
  %2 = arith.minsi %c, %c : index
  return
}

func.func @arith_minui(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.minui %a, %a : i32
  %1 = arith.minui %b, %b : vector<4xi64>
  %2 = arith.minui %c, %c : index
  return
}

func.func @arith_andi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.andi %a, %a : i32
  %1 = arith.andi %b, %b : vector<4xi64>
  %2 = arith.andi %c, %c : index
  return
}

func.func @arith_ori(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.ori %a, %a : i32
  %1 = arith.ori %b, %b : vector<4xi64>
  %2 = arith.ori %c, %c : index
  return
}

func.func @arith_xori(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.xori %a, %a : i32
  %1 = arith.xori %b, %b : vector<4xi64>
  %2 = arith.xori %c, %c : index
  return
}

func.func @arith_shli(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.shli %a, %a : i32
  %1 = arith.shli %b, %b : vector<4xi64>
  %2 = arith.shli %c, %c : index
  return
}

func.func @arith_shrsi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.shrsi %a, %a : i32
  %1 = arith.shrsi %b, %b : vector<4xi64>
  %2 = arith.shrsi %c, %c : index
  return
}

func.func @arith_shrui(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.shrui %a, %a : i32
  %1 = arith.shrui %b, %b : vector<4xi64>
  %2 = arith.shrui %c, %c : index
  return
}

func.func @arith_addf(%a: f32, %b: vector<4xf64>) {
  %0 = arith.addf %a, %a : f32
  %1 = arith.addf %b, %b : vector<4xf64>
  return
}

func.func @arith_subf(%a: f32, %b: vector<4xf64>) {
  %0 = arith.subf %a, %a : f32
  %1 = arith.subf %b, %b : vector<4xf64>
  return
}

func.func @arith_mulf(%a: f32, %b: vector<4xf64>) {
  %0 = arith.mulf %a, %a : f32
  %1 = arith.mulf %b, %b : vector<4xf64>
  return
}

func.func @arith_divf(%a: f32, %b: vector<4xf64>) {
  %0 = arith.divf %a, %a : f32
  %1 = arith.divf %b, %b : vector<4xf64>
  return
}

func.func @arith_remf(%a: f32, %b: vector<4xf64>) {
  %0 = arith.remf %a, %a : f32
  %1 = arith.remf %b, %b : vector<4xf64>
  return
}

func.func @arith_maximumf(%a: f32, %b: vector<4xf64>) {
  %0 = arith.maximumf %a, %a : f32
  %1 = arith.maximumf %b, %b : vector<4xf64>
  return
}

func.func @arith_minimumf(%a: f32, %b: vector<4xf64>) {
  %0 = arith.minimumf %a, %a : f32
  %1 = arith.minimumf %b, %b : vector<4xf64>
  return
}

func.func @arith_maxnumf(%a: f32, %b: vector<4xf64>) {
  %0 = arith.maxnumf %a, %a : f32
  %1 = arith.maxnumf %b, %b : vector<4xf64>
  return
}

func.func @arith_minnumf(%a: f32, %b: vector<4xf64>) {
  %0 = arith.minnumf %a, %a : f32
  %1 = arith.minnumf %b, %b : vector<4xf64>
  return
}

func.func @arith_negf(%a: f32) {
  %0 = arith.negf %a : f32
  return
}

func.func @arith_cmpi(%a: i32, %b: vector<4xi64>, %c: index) {
  %0 = arith.cmpi eq, %a, %a : i32
  %1 = arith.cmpi ne, %a, %a : i32
  %2 = arith.cmpi slt, %a, %a : i32
  %3 = arith.cmpi sle, %a, %a : i32
  %4 = arith.cmpi sgt, %a, %a : i32
  %5 = arith.cmpi sge, %a, %a : i32
  %6 = arith.cmpi ult, %a, %a : i32
  %7 = arith.cmpi ule, %a, %a : i32
  %8 = arith.cmpi ugt, %a, %a : i32
  %9 = arith.cmpi uge, %a, %a : i32
  %v = arith.cmpi ult, %b, %b : vector<4xi64>
  %x = arith.cmpi slt, %c, %c : index
  return
}

func.func @arith_cmpf(%a: f32, %b: vector<4xf64>) {
  %0 = arith.cmpf false, %a, %a : f32
  %1 = arith.cmpf oeq, %a, %a : f32
  %2 = arith.cmpf ogt, %a, %a : f32
  %3 = arith.cmpf oge, %a, %a : f32
  %4 = arith.cmpf olt, %a, %a : f32
  %5 = arith.cmpf ole, %a, %a : f32
  %6 = arith.cmpf one, %a, %a : f32
  %7 = arith.cmpf ord, %a, %a : f32
  %8 = arith.cmpf ueq, %a, %a : f32
  %9 = arith.cmpf ugt, %a, %a : f32
  %10 = arith.cmpf uge, %a, %a : f32
  %11 = arith.cmpf ult, %a, %a : f32
  %12 = arith.cmpf ule, %a, %a : f32
  %13 = arith.cmpf une, %a, %a : f32
  %14 = arith.cmpf uno, %a, %a : f32
  %15 = arith.cmpf true, %a, %a : f32
  %v = arith.cmpf une, %b, %b : vector<4xf64>
  return
}

func.func @arith_select(%c: i1, %m: vector<4xi1>, %a: i32, %v: vector<4xf32>, %t: tensor<4xf32>, %b: memref<4xf32>) {
  %0 = arith.select %c, %a, %a : i32
  %1 = arith.select %c, %v, %v : vector<4xf32>
  %2 = arith.select %m, %v, %v : vector<4xi1>, vector<4xf32>
  %3 = arith.select %c, %c, %c : i1
  %4 = arith.select %m, %m, %m : vector<4xi1>, vector<4xi1>
  %5 = arith.select %c, %b, %b : memref<4xf32>
  return
}

func.func @arith_extsi(%a: i8, %v: vector<4xi8>) {
  %0 = arith.extsi %a : i8 to i32
  %1 = arith.extsi %v : vector<4xi8> to vector<4xi32>
  return
}

func.func @arith_extui(%a: i1, %v: vector<4xi1>) {
  %0 = arith.extui %a : i1 to i32
  %1 = arith.extui %v : vector<4xi1> to vector<4xi32>
  return
}

func.func @arith_extf(%a: bf16, %v: vector<4xbf16>) {
  %0 = arith.extf %a : bf16 to f32
  %1 = arith.extf %v : vector<4xbf16> to vector<4xf32>
  return
}

func.func @arith_trunci(%a: i64, %v: vector<4xi64>) {
  %0 = arith.trunci %a : i64 to i8
  %1 = arith.trunci %v : vector<4xi64> to vector<4xi8>
  return
}

func.func @arith_truncf(%a: f64, %v: vector<4xf64>) {
  %0 = arith.truncf %a : f64 to f16
  %1 = arith.truncf %v : vector<4xf64> to vector<4xf16>
  return
}

func.func @arith_sitofp(%a: i32, %v: vector<4xi32>) {
  %0 = arith.sitofp %a : i32 to f32
  %1 = arith.sitofp %v : vector<4xi32> to vector<4xf32>
  return
}

func.func @arith_uitofp(%a: i8, %v: vector<4xi8>) {
  %0 = arith.uitofp %a : i8 to f64
  %1 = arith.uitofp %v : vector<4xi8> to vector<4xf64>
  return
}

func.func @arith_fptosi(%a: f32, %v: vector<4xf32>) {
  %0 = arith.fptosi %a : f32 to i32
  %1 = arith.fptosi %v : vector<4xf32> to vector<4xi32>
  return
}

func.func @arith_fptoui(%a: f64, %v: vector<4xf64>) {
  %0 = arith.fptoui %a : f64 to i64
  %1 = arith.fptoui %v : vector<4xf64> to vector<4xi64>
  return
}

func.func @arith_index_cast(%a: index, %v: vector<4xindex>) {
  %0 = arith.index_cast %a : index to i32
  %1 = arith.index_cast %v : vector<4xindex> to vector<4xi32>
  return
}

func.func @arith_index_castui(%a: i64, %v: vector<4xi64>) {
  %0 = arith.index_castui %a : i64 to index
  %1 = arith.index_castui %v : vector<4xi64> to vector<4xindex>
  return
}

func.func @arith_bitcast(%a: f32, %v: vector<4xf32>) {
  %0 = arith.bitcast %a : f32 to i32
  %1 = arith.bitcast %v : vector<4xf32> to vector<4xi32>
  return
}
