"""The thread pool's controls, as LLVM IR text.

Takes the definitions of `pool_ir` in the same module. Gives `lz_pool_init`, `lz_pool_stop`, the
number of threads, counts. Must not know: Python, programs.
"""

from __future__ import annotations

from string import Template

from .pool_ir import MAX_WORKERS

__all__ = ["control_ir"]

_TEMPLATE = Template("""
; Fresh start: at load, and in a child after fork, which has no workers.
define void @lz_pool_init() {
  call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  call i32 @pthread_cond_init(ptr @work_cond, ptr null)
  call i32 @pthread_cond_init(ptr @done_cond, ptr null)
  store i64 0, ptr @epoch
  store i64 0, ptr @ticket_line
  store i32 0, ptr @sleepers
  store i32 0, ptr @owner_sleeps
  store i32 0, ptr @workers
  store i32 0, ptr @stopping
  store atomic i32 0, ptr @busy seq_cst, align 4
  ret void
}

define void @lz_pool_set_threads(i32 %count) {
  store atomic i32 %count, ptr @threads seq_cst, align 4
  ret void
}

define i32 @lz_pool_threads() {
  %count = load atomic i32, ptr @threads seq_cst, align 4
  ret i32 %count
}

; Regions that were shared out, chunks that workers ran, workers alive.
define void @lz_pool_statistics(ptr %three) {
  %chunks_slot = getelementptr inbounds i64, ptr %three, i64 1
  %workers_slot = getelementptr inbounds i64, ptr %three, i64 2
  %regions = load atomic i64, ptr @shared_regions monotonic, align 8
  %chunks = load atomic i64, ptr @shared_chunks monotonic, align 8
  %count = load atomic i32, ptr @workers monotonic, align 4
  %workers = zext i32 %count to i64
  store i64 %regions, ptr %three
  store i64 %chunks, ptr %chunks_slot
  store i64 %workers, ptr %workers_slot
  ret void
}

; End all workers and wait for them. Returns 0, or 1 if a region is running (then nothing is done).
define i32 @lz_pool_stop() {
entry:
  %pair = cmpxchg ptr @busy, i32 0, i32 1 seq_cst seq_cst
  %owner = extractvalue { i32, i1 } %pair, 1
  br i1 %owner, label %stop, label %refused
refused:
  ret i32 1
stop:
  store atomic i32 1, ptr @stopping seq_cst, align 4
  atomicrmw add ptr @epoch, i64 1 seq_cst
  call i32 @pthread_mutex_lock(ptr @mutex)
  call i32 @pthread_cond_broadcast(ptr @work_cond)
  call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %head
head:
  %count = load i32, ptr @workers
  %more = icmp sgt i32 %count, 0
  br i1 %more, label %join, label %end
join:
  %rest = sub i32 %count, 1
  %index = zext i32 %rest to i64
  %slot = getelementptr inbounds [$max_workers x i64], ptr @handles, i64 0, i64 %index
  %handle = load i64, ptr %slot
  call i32 @pthread_join(i64 %handle, ptr null)
  store i32 %rest, ptr @workers
  br label %head
end:
  store atomic i32 0, ptr @stopping seq_cst, align 4
  store atomic i32 0, ptr @busy seq_cst, align 4
  ret i32 0
}
""")


def control_ir() -> str:
    """The text."""
    return _TEMPLATE.substitute(max_workers=MAX_WORKERS)
