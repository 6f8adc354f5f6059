target datalayout = "e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64"
target triple = "nvptx64-nvidia-cuda"

define ptx_kernel void @warp_sum(ptr noalias readonly align 4 %a0, ptr noalias align 4 %a1) #0 {
entry:
  %t1 = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %t2 = zext i32 %t1 to i64
  %t3 = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %t4 = zext i32 %t3 to i64
  %t5 = icmp slt i64 %t4, 64
  %t8 = mul i64 %t2, 64
  %t9 = getelementptr float, ptr %a0, i64 %t8
  br i1 %t5, label %for.1, label %end.2
for.1:
  %t6 = phi i64 [ %t4, %entry ], [ %t13, %for.1 ]
  %t7 = phi float [ 0x0000000000000000, %entry ], [ %t12, %for.1 ]
  %t10 = getelementptr float, ptr %t9, i64 %t6
  %t11 = load float, ptr %t10, align 4
  %t12 = fadd float %t7, %t11
  %t13 = add nsw i64 %t6, 32
  %t14 = icmp slt i64 %t13, 64
  br i1 %t14, label %for.1, label %end.2
end.2:
  %t15 = phi float [ 0x0000000000000000, %entry ], [ %t12, %for.1 ]
  %t16 = bitcast float %t15 to i32
  %t17 = call { i32, i1 } @llvm.nvvm.shfl.sync.bfly.i32p(i32 -1, i32 %t16, i32 16, i32 31)
  %t18 = extractvalue { i32, i1 } %t17, 0
  %t19 = extractvalue { i32, i1 } %t17, 1
  %t20 = bitcast i32 %t18 to float
  %t21 = fadd float %t15, %t20
  %t22 = icmp eq i64 %t4, 0
  %t23 = getelementptr float, ptr %a1, i64 %t2
  br i1 %t22, label %then.3, label %end.5
then.3:
  store float %t21, ptr %t23, align 4
  br label %end.5
end.5:
  ret void
}

declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare { i32, i1 } @llvm.nvvm.shfl.sync.bfly.i32p(i32, i32, i32, i32)

attributes #0 = { convergent nounwind "target-cpu"="sm_80" "target-features"="+ptx70" }
attributes #1 = { alwaysinline convergent nounwind "target-cpu"="sm_80" "target-features"="+ptx70" }

!nvvm.annotations = !{!0}
!0 = !{ptr @warp_sum, !"maxntidx", i32 32, !"maxntidy", i32 1, !"maxntidz", i32 1}
