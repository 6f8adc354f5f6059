"""The thread pool, as LLVM IR text.

Takes the few platform facts of `pool_ir`'s arguments. Gives text that defines `lz_parallel_for`;
`control_ir` adds the pool's controls. Must not know: Python, programs, what a body does.

How it works. One region runs at a time; `@busy` is its owner's claim, and who cannot get it runs
its chunks inline. Chunks are handed out by an atomic counter. `@ticket` is `open bit | number of
workers inside`: a worker enters by adding 1 while the bit is set, so the owner, having cleared the
bit, waits only for workers that really came, never for sleepers. Workers spin briefly on `@epoch`
before they sleep, so that small regions in a row pay no wake-up. Both sleeps are guarded the same
way: the sleeper announces itself, then looks at the condition again; the waker changes the
condition, then looks for announcements (all sequentially consistent), so no wake-up is lost.
There is no thread-local storage: a body learns from its context whether it is nested.
"""

from __future__ import annotations

from string import Template

from .abi import CONTEXT_TYPE, CTX_CALL, CTX_POLL

__all__ = ["CALL_RECORD_TYPE", "MAX_WORKERS", "pool_ir"]

#: Room for handles of worker threads.
MAX_WORKERS = 1023

#: What `ctx->call` points to: thread state (Python's, while the lock is released), monotonic time
#: of the next signal check in ns, the interrupted flag, and the table of callbacks.
CALL_RECORD_TYPE = "{ ptr, i64, i32, ptr }"
_RECORD_INTERRUPTED = 2

#: Turns of the wait loop before a thread goes to sleep: some 30 µs, about what a wake-up costs.
_SPINS = 2000

_TEMPLATE = Template("""
%lz_ctx = type $context
%lz_call = type $record

; Opaque pthread objects: 128 bytes hold them on Linux and macOS.
@mutex = internal global [128 x i8] zeroinitializer, align 64
@work_cond = internal global [128 x i8] zeroinitializer, align 64
@done_cond = internal global [128 x i8] zeroinitializer, align 64
@handles = internal global [$max_workers x i64] zeroinitializer, align 64

; What several threads write at once has cache lines of its own.
@epoch = internal global i64 0, align 64
@ticket_line = internal global [8 x i64] zeroinitializer, align 64
@next_line = internal global [8 x i64] zeroinitializer, align 64
@sleepers = internal global i32 0, align 64
@owner_sleeps = internal global i32 0, align 4
@busy = internal global i32 0, align 64

; The region that is open; written by its owner before the ticket opens it.
@region_body = internal global ptr null, align 64
@region_env = internal global ptr null
@region_chunks = internal global i64 0
@region_call = internal global ptr null

@threads = internal global i32 1
@workers = internal global i32 0
@stopping = internal global i32 0
@shared_regions = internal global i64 0
@shared_chunks = internal global i64 0

declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_timedwait(ptr, ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigfillset(ptr)
declare i32 @clock_gettime(i32, ptr)
$relax_declaration

define internal void @relax() alwaysinline {
  $relax
  ret void
}

; Interrupted? Any thread may ask.
define internal i1 @interrupted(ptr %call) alwaysinline {
  %flag = getelementptr inbounds %lz_call, ptr %call, i32 0, i32 $interrupted
  %value = load atomic i32, ptr %flag monotonic, align 4
  %yes = icmp ne i32 %value, 0
  ret i1 %yes
}

; `poll` for bodies on worker threads: they only learn what the calling thread found out.
define internal i32 @worker_poll(ptr %ctx) {
  %slot = getelementptr inbounds %lz_ctx, ptr %ctx, i32 0, i32 $ctx_call
  %call = load ptr, ptr %slot
  %yes = call i1 @interrupted(ptr %call)
  %value = zext i1 %yes to i32
  ret i32 %value
}

define internal i32 @poll_of(ptr %ctx) {
  %slot = getelementptr inbounds %lz_ctx, ptr %ctx, i32 0, i32 $ctx_poll
  %poll = load ptr, ptr %slot
  %none = icmp eq ptr %poll, null
  br i1 %none, label %no, label %ask
ask:
  %value = call i32 %poll(ptr %ctx)
  ret i32 %value
no:
  ret i32 0
}

; `parallel_for` inside a region, and wherever the pool is not to be had.
define internal void @inline_for(ptr %ctx, ptr %body, ptr %env, i64 %chunks) {
entry:
  br label %head
head:
  %chunk = phi i64 [ 0, %entry ], [ %following, %polled ]
  %more = icmp slt i64 %chunk, %chunks
  br i1 %more, label %run, label %end
run:
  call void %body(ptr %env, i64 %chunk, ptr %ctx)
  %following = add nuw i64 %chunk, 1
  %last = icmp eq i64 %following, %chunks
  br i1 %last, label %end, label %ask
ask:
  %stop = call i32 @poll_of(ptr %ctx)
  %stopped = icmp ne i32 %stop, 0
  br i1 %stopped, label %end, label %polled
polled:
  br label %head
end:
  ret void
}

; Take chunks of the open region until none is left. Returns how many.
define internal i64 @take_chunks(ptr %inner) {
entry:
  %body = load ptr, ptr @region_body
  %env = load ptr, ptr @region_env
  %chunks = load i64, ptr @region_chunks
  br label %head
head:
  %taken = phi i64 [ 0, %entry ], [ %count, %run ]
  %chunk = atomicrmw add ptr @next_line, i64 1 monotonic
  %more = icmp slt i64 %chunk, %chunks
  br i1 %more, label %run, label %end
run:
  call void %body(ptr %env, i64 %chunk, ptr %inner)
  %count = add nuw i64 %taken, 1
  %stop = call i32 @poll_of(ptr %inner)
  %stopped = icmp ne i32 %stop, 0
  br i1 %stopped, label %end_early, label %head
end_early:
  ret i64 %count
end:
  ret i64 %taken
}

; Wait until @epoch differs from %seen; spin first, then sleep. Returns the new epoch.
define internal i64 @await_epoch(i64 %seen) {
entry:
  br label %spin
spin:
  %turn = phi i32 [ 0, %entry ], [ %turns, %again ]
  %now = load atomic i64, ptr @epoch acquire, align 8
  %changed = icmp ne i64 %now, %seen
  br i1 %changed, label %ready, label %again
again:
  call void @relax()
  %turns = add nuw i32 %turn, 1
  %tired = icmp eq i32 %turns, $spins
  br i1 %tired, label %sleep, label %spin
ready:
  ret i64 %now
sleep:
  call i32 @pthread_mutex_lock(ptr @mutex)
  atomicrmw add ptr @sleepers, i32 1 seq_cst
  br label %check
check:
  %later = load atomic i64, ptr @epoch seq_cst, align 8
  %woken = icmp ne i64 %later, %seen
  br i1 %woken, label %rise, label %wait
wait:
  call i32 @pthread_cond_wait(ptr @work_cond, ptr @mutex)
  br label %check
rise:
  atomicrmw sub ptr @sleepers, i32 1 seq_cst
  call i32 @pthread_mutex_unlock(ptr @mutex)
  ret i64 %later
}

define internal ptr @worker(ptr %argument) {
entry:
  %inner = alloca %lz_ctx
  %index = ptrtoint ptr %argument to i64
  %number = trunc i64 %index to i32
  store %lz_ctx { ptr @inline_for, ptr @worker_poll, ptr null, ptr null, ptr null }, ptr %inner
  br label %idle
idle:
  %seen = phi i64 [ 0, %entry ], [ %epoch, %awake ], [ %epoch, %enter ], [ %epoch, %out ]
  %epoch = call i64 @await_epoch(i64 %seen)
  %stop = load atomic i32, ptr @stopping acquire, align 4
  %stopping = icmp ne i32 %stop, 0
  br i1 %stopping, label %quit, label %awake
awake:
  %wanted = load atomic i32, ptr @threads monotonic, align 4
  %others = sub i32 %wanted, 1
  %surplus = icmp sge i32 %number, %others
  br i1 %surplus, label %idle, label %first_look
first_look:
  %first = load atomic i64, ptr @ticket_line seq_cst, align 8
  br label %enter
enter:
  %ticket = phi i64 [ %first, %first_look ], [ %found, %try ]
  %open = icmp uge i64 %ticket, $open
  br i1 %open, label %try, label %idle
try:
  %joined = add i64 %ticket, 1
  %pair = cmpxchg ptr @ticket_line, i64 %ticket, i64 %joined seq_cst seq_cst
  %found = extractvalue { i64, i1 } %pair, 0
  %ok = extractvalue { i64, i1 } %pair, 1
  br i1 %ok, label %inside, label %enter
inside:
  %call = load ptr, ptr @region_call
  %call_slot = getelementptr inbounds %lz_ctx, ptr %inner, i32 0, i32 $ctx_call
  store ptr %call, ptr %call_slot
  %taken = call i64 @take_chunks(ptr %inner)
  atomicrmw add ptr @shared_chunks, i64 %taken monotonic
  %before = atomicrmw sub ptr @ticket_line, i64 1 seq_cst
  %last = icmp eq i64 %before, 1
  br i1 %last, label %look, label %out
look:
  %sleeping = load atomic i32, ptr @owner_sleeps seq_cst, align 4
  %rouse = icmp ne i32 %sleeping, 0
  br i1 %rouse, label %wake, label %out
wake:
  call i32 @pthread_mutex_lock(ptr @mutex)
  call i32 @pthread_cond_signal(ptr @done_cond)
  call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %out
out:
  br label %idle
quit:
  ret ptr null
}

; Start workers until there are %wanted, or the system refuses. Only the owner of @busy calls this.
define internal void @start_workers(i32 %wanted) {
entry:
  %all = alloca [128 x i8], align 16
  %old = alloca [128 x i8], align 16
  ; Signals are for the threads that Python knows.
  call i32 @sigfillset(ptr %all)
  call i32 @pthread_sigmask(i32 $sig_setmask, ptr %all, ptr %old)
  br label %head
head:
  %count = load i32, ptr @workers
  %more = icmp slt i32 %count, %wanted
  br i1 %more, label %start, label %end
start:
  %index = zext i32 %count to i64
  %handle = getelementptr inbounds [$max_workers x i64], ptr @handles, i64 0, i64 %index
  %argument = inttoptr i64 %index to ptr
  %failed = call i32 @pthread_create(ptr %handle, ptr null, ptr @worker, ptr %argument)
  %ok = icmp eq i32 %failed, 0
  br i1 %ok, label %started, label %end
started:
  %following = add nuw i32 %count, 1
  store i32 %following, ptr @workers
  br label %head
end:
  call i32 @pthread_sigmask(i32 $sig_setmask, ptr %old, ptr null)
  ret void
}

; Wake as many sleepers as there are chunks for.
define internal void @wake_sleepers(i64 %chunks) {
entry:
  %sleeping = load atomic i32, ptr @sleepers seq_cst, align 4
  %none = icmp eq i32 %sleeping, 0
  br i1 %none, label %end, label %lock
lock:
  %asleep = zext i32 %sleeping to i64
  %useful = sub i64 %chunks, 1
  %few = icmp ult i64 %useful, %asleep
  call i32 @pthread_mutex_lock(ptr @mutex)
  br i1 %few, label %some, label %all
some:
  %woken = phi i64 [ 0, %lock ], [ %count, %some ]
  call i32 @pthread_cond_signal(ptr @work_cond)
  %count = add nuw i64 %woken, 1
  %enough = icmp uge i64 %count, %useful
  br i1 %enough, label %unlock, label %some
all:
  call i32 @pthread_cond_broadcast(ptr @work_cond)
  br label %unlock
unlock:
  call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %end
end:
  ret void
}

; Sleep on @done_cond for at most 50 ms; the mutex is held.
define internal void @doze() {
  %until = alloca { i64, i64 }
  call i32 @clock_gettime(i32 $clock_realtime, ptr %until)
  %ns_slot = getelementptr inbounds { i64, i64 }, ptr %until, i32 0, i32 1
  %s = load i64, ptr %until
  %ns = load i64, ptr %ns_slot
  %ns_sum = add i64 %ns, 50000000
  %carry = icmp uge i64 %ns_sum, 1000000000
  %ns_less = sub i64 %ns_sum, 1000000000
  %s_more = add i64 %s, 1
  %ns_new = select i1 %carry, i64 %ns_less, i64 %ns_sum
  %s_new = select i1 %carry, i64 %s_more, i64 %s
  store i64 %s_new, ptr %until
  store i64 %ns_new, ptr %ns_slot
  call i32 @pthread_cond_timedwait(ptr @done_cond, ptr @mutex, ptr %until)
  ret void
}

; Wait until all workers have left the closed region; meanwhile look for signals.
define internal void @await_workers(ptr %ctx) {
entry:
  br label %spin
spin:
  %turn = phi i32 [ 0, %entry ], [ %turns, %again ]
  %ticket = load atomic i64, ptr @ticket_line seq_cst, align 8
  %empty = icmp eq i64 %ticket, 0
  br i1 %empty, label %end, label %again
again:
  call void @relax()
  %turns = add nuw i32 %turn, 1
  %tired = icmp eq i32 %turns, $spins
  br i1 %tired, label %sleep, label %spin
sleep:
  call i32 @pthread_mutex_lock(ptr @mutex)
  store atomic i32 1, ptr @owner_sleeps seq_cst, align 4
  %inside = load atomic i64, ptr @ticket_line seq_cst, align 8
  %gone = icmp eq i64 %inside, 0
  br i1 %gone, label %rise, label %wait
wait:
  call void @doze()
  br label %rise
rise:
  store atomic i32 0, ptr @owner_sleeps seq_cst, align 4
  call i32 @pthread_mutex_unlock(ptr @mutex)
  %later = load atomic i64, ptr @ticket_line seq_cst, align 8
  %done = icmp eq i64 %later, 0
  br i1 %done, label %end, label %ask
ask:
  call i32 @poll_of(ptr %ctx)
  br label %sleep
end:
  ret void
}

define void @lz_parallel_for(ptr %ctx, ptr %body, ptr %env, i64 %chunks) {
entry:
  %inner = alloca %lz_ctx
  %wanted = load atomic i32, ptr @threads monotonic, align 4
  %many = icmp sgt i64 %chunks, 1
  %allowed = icmp sgt i32 %wanted, 1
  %worth = and i1 %many, %allowed
  br i1 %worth, label %claim, label %alone
claim:
  %pair = cmpxchg ptr @busy, i32 0, i32 1 seq_cst seq_cst
  %owner = extractvalue { i32, i1 } %pair, 1
  br i1 %owner, label %prepare, label %alone
alone:
  call void @inline_for(ptr %ctx, ptr %body, ptr %env, i64 %chunks)
  ret void
prepare:
  %others = sub i32 %wanted, 1
  %running = load i32, ptr @workers
  %enough = icmp sge i32 %running, %others
  br i1 %enough, label %publish, label %start
start:
  call void @start_workers(i32 %others)
  br label %publish
publish:
  %context = load %lz_ctx, ptr %ctx
  %nested = insertvalue %lz_ctx %context, ptr @inline_for, 0
  store %lz_ctx %nested, ptr %inner
  %call_slot = getelementptr inbounds %lz_ctx, ptr %ctx, i32 0, i32 $ctx_call
  %call = load ptr, ptr %call_slot
  store ptr %body, ptr @region_body
  store ptr %env, ptr @region_env
  store i64 %chunks, ptr @region_chunks
  store ptr %call, ptr @region_call
  store atomic i64 0, ptr @next_line monotonic, align 8
  store atomic i64 $open, ptr @ticket_line seq_cst, align 8
  atomicrmw add ptr @epoch, i64 1 seq_cst
  atomicrmw add ptr @shared_regions, i64 1 monotonic
  call void @wake_sleepers(i64 %chunks)
  %own = call i64 @take_chunks(ptr %inner)
  %closed = atomicrmw and ptr @ticket_line, i64 $open_mask seq_cst
  call void @await_workers(ptr %ctx)
  store atomic i32 0, ptr @busy seq_cst, align 4
  ret void
}
""")


def _relax(triple: str) -> tuple[str, str]:
    """The processor's own hint for wait loops: declaration and call."""
    machine = triple.split("-", 1)[0]
    if machine in ("x86_64", "i386", "i686", "amd64"):
        return "declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"
    if machine in ("aarch64", "arm64"):  # hint 1 is YIELD
        return "declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"
    return "", ""


def pool_ir(triple: str, sig_setmask: int, clock_realtime: int) -> str:
    """The text. `sig_setmask` and `clock_realtime` are SIG_SETMASK and CLOCK_REALTIME there."""
    open_bit = 1 << 32
    declaration, hint = _relax(triple)
    return _TEMPLATE.substitute(
        context=CONTEXT_TYPE,
        record=CALL_RECORD_TYPE,
        interrupted=_RECORD_INTERRUPTED,
        ctx_call=CTX_CALL,
        ctx_poll=CTX_POLL,
        max_workers=MAX_WORKERS,
        spins=_SPINS,
        open=open_bit,
        open_mask=open_bit - 1,
        relax=hint,
        relax_declaration=declaration,
        sig_setmask=sig_setmask,
        clock_realtime=clock_realtime,
    )
