"""The way from Python into any program, as LLVM IR text.

Takes the size of Python's object header and platform facts. Gives text that defines `lz_call` (a
METH_FASTCALL function, the same for all programs, driven by a table), `lz_run`, `poll`, `callback`.
Must not know: what programs compute.

One function for all programs, rather than one emitted beside each: nothing of Python is in a
program's code then (it can be exported, and cached whatever Python comes next), nothing is compiled
twice, and walking a table costs a few ns per argument.

Arguments are read straight from NumPy's array struct, whose first fields (data, nd, dimensions,
strides, base, descr, flags) and the descriptor's `type`, `byteorder`, `type_num` are part of its C
interface: every extension module compiled against NumPy 1.7 to 2.x has these offsets inside. This
takes 5 ns per array where PyObject_GetBuffer takes 50; results come from PyArray_NewFromDescr
through NumPy's table of C functions. `native.py` checks all of it once on a live array.
"""

from __future__ import annotations

from string import Template

from .abi import CTX_CALL

__all__ = ["INPUT_BOOL", "INPUT_FLOAT", "INPUT_INT", "entry_ir"]

#: Kinds of input: 0 is an array, the others are Python scalars of exactly that type.
INPUT_FLOAT, INPUT_INT, INPUT_BOOL = 1, 2, 3

_TEMPLATE = Template("""
; NumPy's array struct and the head of its descriptor, after Python's object header.
%array = type { [$header x i8], ptr, i32, ptr, ptr, ptr, ptr, i32 }
%descr = type { [$header x i8], ptr, i8, i8, i8, i8, i32 }

; One table per loaded program, filled by entry.py; keep the ctypes structures there in step.
%input = type { i32, i32, i32, i32, ptr, i64, i32, i32 }
;              kind, type number, other type number, ndim, dims, bytes, donated, item size
%output = type { ptr, ptr, ptr, i32, i32 }
;               descr, allocator or null, dims, ndim, input whose array is returned or -1
%table = type { ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, i64, i32, i32, i32, i32, i32 }
; 0 entry, 1 inputs, 2 outputs, 3 bound constants, 4 callbacks, 5 name, 6 workspace slot,
; 7 workspace home, 8 workspace allocator, 9 workspace bytes, 10 arguments, 11 constants,
; 12 outputs, 13 release the interpreter lock?, 14 return a bare array?

@array_type = internal global ptr null
@new_array = internal global ptr null
@float_type = internal global ptr null
@int_type = internal global ptr null
@true_object = internal global ptr null
@false_object = internal global ptr null
@attribute = internal global ptr null
@misfit = internal global ptr null
@main_thread = internal global i64 0

@PyExc_RuntimeError = external global ptr
@PyExc_AttributeError = external global ptr
@status_text = internal constant [$status_size x i8] c"$status_text\\00"

declare ptr @PyTuple_GetItem(ptr, i64)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyLong_AsVoidPtr(ptr)
declare ptr @PyLong_FromVoidPtr(ptr)
declare i64 @PyLong_AsLongLongAndOverflow(ptr, ptr)
declare double @PyFloat_AsDouble(ptr)
declare ptr @PyObject_GetAttr(ptr, ptr)
declare ptr @PyObject_CallNoArgs(ptr)
declare ptr @PyObject_CallOneArg(ptr, ptr)
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyErr_Occurred()
declare void @PyErr_Clear()
declare i32 @PyErr_ExceptionMatches(ptr)
declare ptr @PyErr_NoMemory()
declare ptr @PyErr_Format(ptr, ptr, ...)
declare i32 @PyErr_CheckSignals()
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare i64 @pthread_self()
declare i32 @posix_memalign(ptr, i64, i64)
declare void @free(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

; The nine globals above, in their order.
define void @lz_entry_init(ptr %values) {
  call void @llvm.memcpy.p0.p0.i64(ptr @array_type, ptr %values, i64 8, i1 false)
$init_stores
  ret void
}

define internal i64 @monotonic_ns() {
  %time = alloca { i64, i64 }
  call i32 @clock_gettime(i32 $clock_monotonic, ptr %time)
  %ns_slot = getelementptr inbounds { i64, i64 }, ptr %time, i32 0, i32 1
  %s = load i64, ptr %time
  %ns = load i64, ptr %ns_slot
  %s_ns = mul i64 %s, 1000000000
  %sum = add i64 %s_ns, %ns
  ret i64 %sum
}

define internal ptr @call_of(ptr %ctx) alwaysinline {
  %slot = getelementptr inbounds %lz_ctx, ptr %ctx, i32 0, i32 $ctx_call
  %call = load ptr, ptr %slot
  ret ptr %call
}

; Take the interpreter lock back for a moment, if this call had let it go.
define internal i1 @enter_python(ptr %call) {
  %state = load ptr, ptr %call
  %released = icmp ne ptr %state, null
  br i1 %released, label %take, label %end
take:
  call void @PyEval_RestoreThread(ptr %state)
  br label %end
end:
  ret i1 %released
}

define internal void @leave_python(ptr %call, i1 %released) {
  br i1 %released, label %give, label %end
give:
  %state = call ptr @PyEval_SaveThread()
  store ptr %state, ptr %call
  br label %end
end:
  ret void
}

define internal void @set_interrupted(ptr %call) {
  %flag = getelementptr inbounds %lz_call, ptr %call, i32 0, i32 2
  store atomic i32 1, ptr %flag monotonic, align 4
  ret void
}

; `poll` on the calling thread: every 50 ms run Python's signal handlers.
define internal i32 @poll(ptr %ctx) {
entry:
  %call = call ptr @call_of(ptr %ctx)
  %already = call i1 @interrupted(ptr %call)
  br i1 %already, label %yes, label %clock
clock:
  %now = call i64 @monotonic_ns()
  %due_slot = getelementptr inbounds %lz_call, ptr %call, i32 0, i32 1
  %due = load i64, ptr %due_slot
  %unset = icmp eq i64 %due, 0
  br i1 %unset, label %first, label %compare
first:
  %first_due = add i64 %now, 50000000
  store i64 %first_due, ptr %due_slot
  br label %no
compare:
  %early = icmp slt i64 %now, %due
  br i1 %early, label %no, label %who
who:
  %next_due = add i64 %now, 50000000
  store i64 %next_due, ptr %due_slot
  %self = call i64 @pthread_self()
  %main = load atomic i64, ptr @main_thread monotonic, align 8
  %is_main = icmp eq i64 %self, %main
  br i1 %is_main, label %check, label %no
check:
  %released = call i1 @enter_python(ptr %call)
  %raised = call i32 @PyErr_CheckSignals()
  call void @leave_python(ptr %call, i1 %released)
  %bad = icmp ne i32 %raised, 0
  br i1 %bad, label %stop, label %no
stop:
  call void @set_interrupted(ptr %call)
  br label %yes
no:
  ret i32 0
yes:
  ret i32 1
}

; `callback`: call item %index of the program's callbacks with the address of %pointers.
define internal i32 @callback(ptr %ctx, i64 %index, ptr %pointers) {
entry:
  %call = call ptr @call_of(ptr %ctx)
  %already = call i1 @interrupted(ptr %call)
  br i1 %already, label %yes, label %go
go:
  %list_slot = getelementptr inbounds %lz_call, ptr %call, i32 0, i32 3
  %list = load ptr, ptr %list_slot
  %released = call i1 @enter_python(ptr %call)
  %function = call ptr @PyTuple_GetItem(ptr %list, i64 %index)
  %missing = icmp eq ptr %function, null
  br i1 %missing, label %failed, label %number
number:
  %address = call ptr @PyLong_FromVoidPtr(ptr %pointers)
  %no_memory = icmp eq ptr %address, null
  br i1 %no_memory, label %failed, label %invoke
invoke:
  %result = call ptr @PyObject_CallOneArg(ptr %function, ptr %address)
  call void @Py_DecRef(ptr %address)
  %raised = icmp eq ptr %result, null
  br i1 %raised, label %failed, label %fine
fine:
  call void @Py_DecRef(ptr %result)
  call void @leave_python(ptr %call, i1 %released)
  ret i32 0
failed:
  call void @leave_python(ptr %call, i1 %released)
  call void @set_interrupted(ptr %call)
  br label %yes
yes:
  ret i32 1
}

; Run a program. Returns 0, or -1 with a Python exception set.
define i32 @lz_run(ptr %table, ptr %in, ptr %out, ptr %workspace) {
entry:
  %ctx = alloca %lz_ctx
  %call = alloca %lz_call
  %code = load ptr, ptr %table
  %callbacks_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 4
  %callbacks = load ptr, ptr %callbacks_slot
  %c1 = insertvalue %lz_call { ptr null, i64 0, i32 0, ptr null }, ptr %callbacks, 3
  store %lz_call %c1, ptr %call
  %x1 = insertvalue %lz_ctx
      { ptr @lz_parallel_for, ptr @poll, ptr null, ptr null, ptr @callback }, ptr %call, $ctx_call
  store %lz_ctx %x1, ptr %ctx
  %release_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 13
  %release_flag = load i32, ptr %release_slot
  %release = icmp ne i32 %release_flag, 0
  call void @leave_python(ptr %call, i1 %release)
  %status = call i32 %code(ptr %in, ptr %out, ptr %workspace, ptr %ctx)
  call i1 @enter_python(ptr %call)
  %interrupted = call i1 @interrupted(ptr %call)
  br i1 %interrupted, label %failed, label %look
look:
  %fine = icmp eq i32 %status, 0
  br i1 %fine, label %ok, label %unknown
unknown:
  %set = call ptr @PyErr_Occurred()
  %is_set = icmp ne ptr %set, null
  br i1 %is_set, label %failed, label %raise
raise:
  %name_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 5
  %name = load ptr, ptr %name_slot
  %kind = load ptr, ptr @PyExc_RuntimeError
  call ptr (ptr, ptr, ...) @PyErr_Format(
      ptr %kind, ptr @status_text, ptr %name, i32 %status)
  br label %failed
failed:
  ret i32 -1
ok:
  ret i32 0
}

define internal ptr @type_of(ptr %object) alwaysinline {
  %slot = getelementptr inbounds i8, ptr %object, i64 $type_offset
  %type = load ptr, ptr %slot
  ret ptr %type
}

define internal ptr @data_of(ptr %array) alwaysinline {
  %slot = getelementptr inbounds %array, ptr %array, i32 0, i32 1
  %data = load ptr, ptr %slot
  ret ptr %data
}

; Does this ndarray fit the input exactly?
define internal i1 @fits(ptr %spec, ptr %array) {
entry:
  %flags_slot = getelementptr inbounds %array, ptr %array, i32 0, i32 7
  %flags = load i32, ptr %flags_slot
  %donated_slot = getelementptr inbounds %input, ptr %spec, i32 0, i32 6
  %donated = load i32, ptr %donated_slot
  %is_donated = icmp ne i32 %donated, 0
  ; C-contiguous 1, aligned 0x100, writeable 0x400
  %needed = select i1 %is_donated, i32 1281, i32 257
  %present = and i32 %flags, %needed
  %usable = icmp eq i32 %present, %needed
  br i1 %usable, label %type, label %no
type:
  %descr_slot = getelementptr inbounds %array, ptr %array, i32 0, i32 6
  %descr = load ptr, ptr %descr_slot
  %number_slot = getelementptr inbounds %descr, ptr %descr, i32 0, i32 6
  %number = load i32, ptr %number_slot
  %a_slot = getelementptr inbounds %input, ptr %spec, i32 0, i32 1
  %b_slot = getelementptr inbounds %input, ptr %spec, i32 0, i32 2
  %a = load i32, ptr %a_slot
  %b = load i32, ptr %b_slot
  %is_a = icmp eq i32 %number, %a
  %is_b = icmp eq i32 %number, %b
  %same_type = or i1 %is_a, %is_b
  %order_slot = getelementptr inbounds %descr, ptr %descr, i32 0, i32 4
  %order = load i8, ptr %order_slot
  %native = icmp eq i8 %order, 61   ; '='
  %orderless = icmp eq i8 %order, 124   ; '|'
  %readable = or i1 %native, %orderless
  %right_type = and i1 %same_type, %readable
  br i1 %right_type, label %rank, label %no
rank:
  %nd_slot = getelementptr inbounds %array, ptr %array, i32 0, i32 2
  %nd = load i32, ptr %nd_slot
  %want_slot = getelementptr inbounds %input, ptr %spec, i32 0, i32 3
  %want = load i32, ptr %want_slot
  %same_rank = icmp eq i32 %nd, %want
  %dims_slot = getelementptr inbounds %array, ptr %array, i32 0, i32 3
  %dims = load ptr, ptr %dims_slot
  %sizes_slot = getelementptr inbounds %input, ptr %spec, i32 0, i32 4
  %sizes = load ptr, ptr %sizes_slot
  br i1 %same_rank, label %head, label %no
head:
  %axis = phi i32 [ 0, %rank ], [ %following, %next ]
  %more = icmp slt i32 %axis, %nd
  br i1 %more, label %compare, label %yes
compare:
  %size_slot = getelementptr inbounds i64, ptr %dims, i32 %axis
  %size = load i64, ptr %size_slot
  %right_slot = getelementptr inbounds i64, ptr %sizes, i32 %axis
  %right = load i64, ptr %right_slot
  %same = icmp eq i64 %size, %right
  br i1 %same, label %next, label %no
next:
  %following = add nuw i32 %axis, 1
  br label %head
yes:
  ret i1 true
no:
  ret i1 false
}

; A Python scalar into 8 bytes. Returns 0, or 1 for a misfit.
define internal i32 @take_scalar(ptr %spec, ptr %object, ptr %room) {
entry:
  %overflow = alloca i32
  %kind = load i32, ptr %spec
  %size_slot = getelementptr inbounds %input, ptr %spec, i32 0, i32 7
  %size = load i32, ptr %size_slot
  %wide = icmp eq i32 %size, 8
  %type = call ptr @type_of(ptr %object)
  switch i32 %kind, label %bool [ i32 $float, label %float
                                  i32 $int, label %int ]
float:
  %float_type = load ptr, ptr @float_type
  %is_float = icmp eq ptr %type, %float_type
  br i1 %is_float, label %float_ok, label %no
float_ok:
  %double = call double @PyFloat_AsDouble(ptr %object)
  br i1 %wide, label %f64, label %f32
f64:
  store double %double, ptr %room
  ret i32 0
f32:
  %single = fptrunc double %double to float
  store float %single, ptr %room
  ret i32 0
int:
  %int_type = load ptr, ptr @int_type
  %is_int = icmp eq ptr %type, %int_type
  br i1 %is_int, label %int_ok, label %no
int_ok:
  %long = call i64 @PyLong_AsLongLongAndOverflow(ptr %object, ptr %overflow)
  %over = load i32, ptr %overflow
  %narrow = trunc i64 %long to i32
  %back = sext i32 %narrow to i64
  %small = icmp eq i64 %back, %long
  %in_range = or i1 %small, %wide
  %no_overflow = icmp eq i32 %over, 0
  %representable = and i1 %in_range, %no_overflow
  br i1 %representable, label %int_store, label %no
int_store:
  store i64 %long, ptr %room   ; little end first: the low half is the narrow number
  ret i32 0
bool:
  %true = load ptr, ptr @true_object
  %is_true = icmp eq ptr %object, %true
  %false = load ptr, ptr @false_object
  %is_false = icmp eq ptr %object, %false
  %is_bool = or i1 %is_true, %is_false
  br i1 %is_bool, label %bool_store, label %no
bool_store:
  %bit = zext i1 %is_true to i8
  store i8 %bit, ptr %room
  ret i32 0
no:
  ret i32 1
}
""")


_STATUS_TEXT = "program %s returned the unknown status %d"


def entry_ir(header_bytes: int, clock_monotonic: int) -> str:
    """The text. Needs `pool_ir` in the same module; `call_ir` goes on from here.

    `header_bytes` is the size of Python's object header (`object.__basicsize__`: 16, and 32 in
    free-threaded builds); its last 8 bytes are the type pointer.
    """
    names = "new_array float_type int_type true_object false_object attribute misfit main_thread"
    lines = []
    for index, name in enumerate(names.split(), start=1):
        lines.append(f"  %p{index} = getelementptr inbounds i64, ptr %values, i64 {index}")
        lines.append(f"  %v{index} = load i64, ptr %p{index}")
        lines.append(f"  store i64 %v{index}, ptr @{name}")
    return _TEMPLATE.substitute(
        header=header_bytes,
        type_offset=header_bytes - 8,
        status_text=_STATUS_TEXT,
        status_size=len(_STATUS_TEXT) + 1,
        clock_monotonic=clock_monotonic,
        ctx_call=CTX_CALL,
        float=INPUT_FLOAT,
        int=INPUT_INT,
        init_stores="\n".join(lines),
    )
