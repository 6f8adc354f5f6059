target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128-Fn32"
target triple = "aarch64-unknown-linux-gnu"

define internal i32 @lz.poll(ptr %ctx) cold noinline nounwind {
entry:
  %field = getelementptr inbounds ptr, ptr %ctx, i64 1
  %poll = load ptr, ptr %field
  %none = icmp eq ptr %poll, null
  br i1 %none, label %go.on, label %ask
ask:
  %status = call i32 %poll(ptr %ctx)
  ret i32 %status
go.on:
  ret i32 0
}

define internal void @row_sum.body0(ptr noalias %env, i64 %chunk, ptr %ctx) #0 {
entry:
  %t1 = getelementptr inbounds { ptr, ptr }, ptr %env, i64 0, i32 0
  %t2 = load ptr, ptr %t1
  %t3 = getelementptr inbounds { ptr, ptr }, ptr %env, i64 0, i32 1
  %t4 = load ptr, ptr %t3
  %t8 = mul i64 %chunk, 64
  %t9 = getelementptr float, ptr %t2, i64 %t8
  br label %for.1
for.1:
  %t5 = phi i64 [ 0, %entry ], [ %t16, %for.1 ]
  %t6 = phi <8 x float> [ splat (float 0x0000000000000000), %entry ], [ %t14, %for.1 ]
  %t7 = phi <8 x float> [ splat (float 0x0000000000000000), %entry ], [ %t15, %for.1 ]
  %t10 = getelementptr float, ptr %t9, i64 %t5
  %t11 = load <8 x float>, ptr %t10, align 4
  %t12 = getelementptr float, ptr %t10, i64 8
  %t13 = load <8 x float>, ptr %t12, align 4
  %t14 = fadd <8 x float> %t6, %t11
  %t15 = fadd <8 x float> %t7, %t13
  %t16 = add nsw i64 %t5, 16
  %t17 = icmp slt i64 %t16, 64
  br i1 %t17, label %for.1, label %end.2, !llvm.loop !4
end.2:
  %t18 = fadd <8 x float> %t14, %t15
  %t19 = shufflevector <8 x float> %t18, <8 x float> poison, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %t20 = shufflevector <8 x float> %t18, <8 x float> poison, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %t21 = fadd <4 x float> %t19, %t20
  %t22 = shufflevector <4 x float> %t21, <4 x float> poison, <2 x i32> <i32 0, i32 1>
  %t23 = shufflevector <4 x float> %t21, <4 x float> poison, <2 x i32> <i32 2, i32 3>
  %t24 = fadd <2 x float> %t22, %t23
  %t25 = extractelement <2 x float> %t24, i64 0
  %t26 = extractelement <2 x float> %t24, i64 1
  %t27 = fadd float %t25, %t26
  %t28 = fmul float %t27, 0x3FB99999A0000000
  %t29 = getelementptr float, ptr %t4, i64 %chunk
  store float %t28, ptr %t29, align 4
  ret void
}

define internal i32 @row_sum(ptr noalias readonly align 4 %a0, ptr noalias align 4 %a1, ptr %ctx) #0 {
entry:
  %env.1 = alloca { ptr, ptr }
  %t2 = getelementptr inbounds { ptr, ptr }, ptr %env.1, i64 0, i32 0
  store ptr %a0, ptr %t2
  %t3 = getelementptr inbounds { ptr, ptr }, ptr %env.1, i64 0, i32 1
  store ptr %a1, ptr %t3
  %t4 = getelementptr inbounds ptr, ptr %ctx, i64 0
  %t5 = load ptr, ptr %t4
  call void %t5(ptr %ctx, ptr @row_sum.body0, ptr %env.1, i64 5)
  %t6 = call i32 @lz.poll(ptr %ctx)
  %t7 = icmp ne i32 %t6, 0
  br i1 %t7, label %interrupted, label %ok.1, !prof !2
ok.1:
  ret i32 0
interrupted:
  ret i32 1
}

define i32 @run(ptr %in, ptr %out, ptr %workspace, ptr %ctx) #0 {
entry:
  %in.0 = getelementptr inbounds ptr, ptr %in, i64 0
  %in.p0 = load ptr, ptr %in.0
  %out.0 = getelementptr inbounds ptr, ptr %out, i64 0
  %out.p0 = load ptr, ptr %out.0
  %status = call i32 @row_sum(ptr %in.p0, ptr %out.p0, ptr %ctx)
  ret i32 %status
}

attributes #0 = { nounwind "target-cpu"="generic" "target-features"="+neon,+fp-armv8" }
attributes #1 = { alwaysinline nounwind "target-cpu"="generic" "target-features"="+neon,+fp-armv8" }

!0 = !{!"llvm.loop.vectorize.enable", i1 false}
!1 = !{!"llvm.loop.unroll.disable"}
!2 = !{!"branch_weights", i32 1, i32 1048575}
!3 = !{i32 1}
!4 = distinct !{!4, !0, !1}
