target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"

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
  %t9 = mul i64 %chunk, 64
  %t10 = getelementptr float, ptr %t2, i64 %t9
  br label %for.1
for.1:
  %t5 = phi i64 [ 0, %entry ], [ %t17, %for.1 ]
  %t6 = phi <8 x float> [ splat (float 0x0000000000000000), %entry ], [ %t15, %for.1 ]
  %t7 = phi <8 x float> [ splat (float 0x0000000000000000), %entry ], [ %t16, %for.1 ]
  %t8 = add i64 %t5, 8
  %t11 = getelementptr float, ptr %t10, i64 %t5
  %t12 = load <8 x float>, ptr %t11, align 4
  %t13 = getelementptr float, ptr %t11, i64 8
  %t14 = load <8 x float>, ptr %t13, align 4
  %t15 = fadd <8 x float> %t6, %t12
  %t16 = fadd <8 x float> %t7, %t14
  %t17 = add nsw i64 %t5, 16
  %t18 = icmp slt i64 %t17, 64
  br i1 %t18, label %for.1, label %end.2, !llvm.loop !4
end.2:
  %t19 = fadd <8 x float> %t15, %t16
  %t20 = shufflevector <8 x float> %t19, <8 x float> poison, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %t21 = shufflevector <8 x float> %t19, <8 x float> poison, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %t22 = fadd <4 x float> %t20, %t21
  %t23 = shufflevector <4 x float> %t22, <4 x float> poison, <2 x i32> <i32 0, i32 1>
  %t24 = shufflevector <4 x float> %t22, <4 x float> poison, <2 x i32> <i32 2, i32 3>
  %t25 = fadd <2 x float> %t23, %t24
  %t26 = extractelement <2 x float> %t25, i64 0
  %t27 = extractelement <2 x float> %t25, i64 1
  %t28 = fadd float %t26, %t27
  %t29 = fmul float %t28, 0x3FB99999A0000000
  %t30 = getelementptr float, ptr %t4, i64 %chunk
  store float %t29, ptr %t30, align 4
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

attributes #0 = { nounwind "target-cpu"="x86-64-v3" "target-features"="+cx16,+sahf,+mmx,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+xsave" "prefer-vector-width"="256" "min-legal-vector-width"="256" }
attributes #1 = { alwaysinline nounwind "target-cpu"="x86-64-v3" "target-features"="+cx16,+sahf,+mmx,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+xsave" "prefer-vector-width"="256" "min-legal-vector-width"="256" }

!0 = !{!"llvm.loop.vectorize.enable", i1 false}
!1 = !{!"llvm.loop.unroll.disable"}
!2 = !{!"branch_weights", i32 1, i32 1048575}
!3 = !{i32 1}
!4 = distinct !{!4, !0, !1}
