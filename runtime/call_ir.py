"""The METH_FASTCALL function itself, as LLVM IR text: arguments in, arrays out.

Takes nothing but the definitions of `entry_ir` and `pool_ir` in the same module. Gives `lz_call`.
Must not know: what programs compute.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CALL_IR"]

#: The text; the same everywhere.
CALL_IR: Final = """
; An array, or an object whose attribute `_array` is one. Returns 0; 1: misfit; -1: error.
define internal i32 @take_array(ptr %spec, ptr %object, ptr %in, ptr %owned, ptr %array_slot) {
entry:
  %array_type = load ptr, ptr @array_type
  %type = call ptr @type_of(ptr %object)
  %plain = icmp eq ptr %type, %array_type
  br i1 %plain, label %check, label %unwrap
unwrap:
  %name = load ptr, ptr @attribute
  %held = call ptr @PyObject_GetAttr(ptr %object, ptr %name)
  %missing = icmp eq ptr %held, null
  br i1 %missing, label %failed, label %own
own:
  store ptr %held, ptr %owned
  %held_type = call ptr @type_of(ptr %held)
  %is_array = icmp eq ptr %held_type, %array_type
  br i1 %is_array, label %check, label %no
check:
  %array = phi ptr [ %object, %entry ], [ %held, %own ]
  %fits = call i1 @fits(ptr %spec, ptr %array)
  br i1 %fits, label %take, label %no
take:
  %data = call ptr @data_of(ptr %array)
  store ptr %data, ptr %in
  store ptr %array, ptr %array_slot
  ret i32 0
failed:
  %kind = load ptr, ptr @PyExc_AttributeError
  %ordinary = call i32 @PyErr_ExceptionMatches(ptr %kind)
  %is_ordinary = icmp ne i32 %ordinary, 0
  br i1 %is_ordinary, label %clear, label %error
clear:
  call void @PyErr_Clear()
  br label %no
no:
  ret i32 1
error:
  ret i32 -1
}

define internal i32 @take_arguments(
    ptr %table, ptr %args, i64 %count, ptr %in, ptr %owned, ptr %arrays, ptr %rooms) {
entry:
  %specs_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 1
  %specs = load ptr, ptr %specs_slot
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %following, %next ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %one, label %end
one:
  %spec = getelementptr inbounds %input, ptr %specs, i64 %i
  %arg = getelementptr inbounds ptr, ptr %args, i64 %i
  %object = load ptr, ptr %arg
  %in_i = getelementptr inbounds ptr, ptr %in, i64 %i
  %kind = load i32, ptr %spec
  %is_array = icmp eq i32 %kind, 0
  br i1 %is_array, label %array, label %scalar
array:
  %owned_i = getelementptr inbounds ptr, ptr %owned, i64 %i
  %arrays_i = getelementptr inbounds ptr, ptr %arrays, i64 %i
  %a = call i32 @take_array(ptr %spec, ptr %object, ptr %in_i, ptr %owned_i, ptr %arrays_i)
  br label %next
scalar:
  %room = getelementptr inbounds ptr, ptr %rooms, i64 %i
  store ptr %room, ptr %in_i
  %s = call i32 @take_scalar(ptr %spec, ptr %object, ptr %room)
  br label %next
next:
  %status = phi i32 [ %a, %array ], [ %s, %scalar ]
  %following = add nuw i64 %i, 1
  %ok = icmp eq i32 %status, 0
  br i1 %ok, label %head, label %stop
stop:
  ret i32 %status
end:
  ret i32 0
}

; Does a donated argument share memory with another input?
define internal i1 @donation_overlaps(ptr %table, i64 %args, i64 %inputs, ptr %in) {
entry:
  %specs_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 1
  %specs = load ptr, ptr %specs_slot
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %i_next, %skip ]
  %more = icmp slt i64 %i, %args
  br i1 %more, label %one, label %no
one:
  %spec = getelementptr inbounds %input, ptr %specs, i64 %i
  %flag_slot = getelementptr inbounds %input, ptr %spec, i32 0, i32 6
  %flag = load i32, ptr %flag_slot
  %donated = icmp ne i32 %flag, 0
  br i1 %donated, label %range, label %skip
range:
  %bytes_slot = getelementptr inbounds %input, ptr %spec, i32 0, i32 5
  %bytes = load i64, ptr %bytes_slot
  %in_i = getelementptr inbounds i64, ptr %in, i64 %i
  %start = load i64, ptr %in_i
  %stop = add i64 %start, %bytes
  br label %others
others:
  %j = phi i64 [ 0, %range ], [ %j_next, %apart ]
  %more_j = icmp slt i64 %j, %inputs
  br i1 %more_j, label %pair, label %skip
pair:
  %other = getelementptr inbounds %input, ptr %specs, i64 %j
  %other_bytes_slot = getelementptr inbounds %input, ptr %other, i32 0, i32 5
  %other_bytes = load i64, ptr %other_bytes_slot
  %in_j = getelementptr inbounds i64, ptr %in, i64 %j
  %other_start = load i64, ptr %in_j
  %other_stop = add i64 %other_start, %other_bytes
  %before = icmp ult i64 %start, %other_stop
  %after = icmp ult i64 %other_start, %stop
  %cross = and i1 %before, %after
  %different = icmp ne i64 %i, %j
  %bad = and i1 %cross, %different
  br i1 %bad, label %yes, label %apart
apart:
  %j_next = add nuw i64 %j, 1
  br label %others
skip:
  %i_next = add nuw i64 %i, 1
  br label %head
yes:
  ret i1 true
no:
  ret i1 false
}

; The array for one output: a donated argument, a small new array, or one of the allocator's.
define internal ptr @make_output(ptr %spec, ptr %arrays) {
entry:
  %alias_slot = getelementptr inbounds %output, ptr %spec, i32 0, i32 4
  %alias = load i32, ptr %alias_slot
  %reuses = icmp sge i32 %alias, 0
  br i1 %reuses, label %reuse, label %fresh
reuse:
  %array_slot = getelementptr inbounds ptr, ptr %arrays, i32 %alias
  %array = load ptr, ptr %array_slot
  call void @Py_IncRef(ptr %array)
  ret ptr %array
fresh:
  %allocator_slot = getelementptr inbounds %output, ptr %spec, i32 0, i32 1
  %allocator = load ptr, ptr %allocator_slot
  %small = icmp eq ptr %allocator, null
  br i1 %small, label %plain, label %large
plain:
  %type = load ptr, ptr @array_type
  %new_array = load ptr, ptr @new_array
  %descr = load ptr, ptr %spec
  %dims_slot = getelementptr inbounds %output, ptr %spec, i32 0, i32 2
  %dims = load ptr, ptr %dims_slot
  %nd_slot = getelementptr inbounds %output, ptr %spec, i32 0, i32 3
  %nd = load i32, ptr %nd_slot
  call void @Py_IncRef(ptr %descr)   ; the constructor takes this reference
  %new = call ptr %new_array(ptr %type, ptr %descr, i32 %nd, ptr %dims, ptr null, ptr null,
                             i32 0, ptr null)
  ret ptr %new
large:
  %pooled = call ptr @PyObject_CallNoArgs(ptr %allocator)
  ret ptr %pooled
}

define internal i1 @make_outputs(ptr %table, i64 %count, ptr %arrays, ptr %out, ptr %results) {
entry:
  %specs_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 2
  %specs = load ptr, ptr %specs_slot
  br label %head
head:
  %k = phi i64 [ 0, %entry ], [ %following, %store ]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %one, label %yes
one:
  %spec = getelementptr inbounds %output, ptr %specs, i64 %k
  %array = call ptr @make_output(ptr %spec, ptr %arrays)
  %failed = icmp eq ptr %array, null
  br i1 %failed, label %no, label %store
store:
  %result = getelementptr inbounds ptr, ptr %results, i64 %k
  store ptr %array, ptr %result
  %data = call ptr @data_of(ptr %array)
  %out_k = getelementptr inbounds ptr, ptr %out, i64 %k
  store ptr %data, ptr %out_k
  %following = add nuw i64 %k, 1
  br label %head
yes:
  ret i1 true
no:
  ret i1 false
}

; Scratch memory. Large: an array of the allocator's, kept in %holder. Small: the program's own
; piece, which one call at a time can have, or a piece of the C library's.
define internal i1 @take_workspace(ptr %table, ptr %holder, ptr %where) {
entry:
  %bytes_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 9
  %bytes = load i64, ptr %bytes_slot
  %none = icmp eq i64 %bytes, 0
  br i1 %none, label %yes, label %some
some:
  %allocator_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 8
  %allocator = load ptr, ptr %allocator_slot
  %small = icmp eq ptr %allocator, null
  br i1 %small, label %own, label %large
large:
  %array = call ptr @PyObject_CallNoArgs(ptr %allocator)
  %failed = icmp eq ptr %array, null
  br i1 %failed, label %no, label %keep
keep:
  store ptr %array, ptr %holder
  %data = call ptr @data_of(ptr %array)
  store ptr %data, ptr %where
  br label %yes
own:
  %slot = getelementptr inbounds %table, ptr %table, i32 0, i32 6
  %piece = atomicrmw xchg ptr %slot, ptr null acquire
  store ptr %piece, ptr %where
  %taken = icmp eq ptr %piece, null
  br i1 %taken, label %borrow, label %yes
borrow:
  %error = call i32 @posix_memalign(ptr %where, i64 64, i64 %bytes)
  %fine = icmp eq i32 %error, 0
  br i1 %fine, label %yes, label %no_memory
no_memory:
  call ptr @PyErr_NoMemory()
  br label %no
yes:
  ret i1 true
no:
  ret i1 false
}

define internal void @drop_workspace(ptr %table, ptr %holder, ptr %where) {
entry:
  %array = load ptr, ptr %holder
  %large = icmp ne ptr %array, null
  br i1 %large, label %release, label %small
release:
  call void @Py_DecRef(ptr %array)
  ret void
small:
  %piece = load ptr, ptr %where
  %home_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 7
  %home = load ptr, ptr %home_slot
  %is_home = icmp eq ptr %piece, %home
  br i1 %is_home, label %return, label %free
return:
  %slot = getelementptr inbounds %table, ptr %table, i32 0, i32 6
  store atomic ptr %home, ptr %slot release, align 8
  ret void
free:
  call void @free(ptr %piece)
  ret void
}

define internal i32 @run_with_workspace(ptr %table, ptr %in, ptr %out) {
entry:
  %holder = alloca ptr
  %where = alloca ptr
  store ptr null, ptr %holder
  store ptr null, ptr %where
  %got = call i1 @take_workspace(ptr %table, ptr %holder, ptr %where)
  br i1 %got, label %run, label %failed
run:
  %workspace = load ptr, ptr %where
  %status = call i32 @lz_run(ptr %table, ptr %in, ptr %out, ptr %workspace)
  call void @drop_workspace(ptr %table, ptr %holder, ptr %where)
  ret i32 %status
failed:
  ret i32 -1
}

; Hand over the results: one array bare where the table says so, else a tuple. Null on failure.
define internal ptr @make_result(ptr %table, i64 %count, ptr %results) {
entry:
  %bare_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 14
  %bare_flag = load i32, ptr %bare_slot
  %bare = icmp ne i32 %bare_flag, 0
  br i1 %bare, label %one, label %several
one:
  %single = load ptr, ptr %results
  ret ptr %single
several:
  %tuple = call ptr @PyTuple_New(i64 %count)
  %failed = icmp eq ptr %tuple, null
  br i1 %failed, label %end, label %head
head:
  %k = phi i64 [ 0, %several ], [ %following, %put ]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %put, label %end
put:
  %slot = getelementptr inbounds ptr, ptr %results, i64 %k
  %array = load ptr, ptr %slot
  call i32 @PyTuple_SetItem(ptr %tuple, i64 %k, ptr %array)
  %following = add nuw i64 %k, 1
  br label %head
end:
  ret ptr %tuple
}

define internal void @drop_references(ptr %objects, i64 %count) {
entry:
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %following, %one ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %one, label %end
one:
  %slot = getelementptr inbounds ptr, ptr %objects, i64 %i
  %object = load ptr, ptr %slot
  call void @Py_DecRef(ptr %object)   ; null is fine
  %following = add nuw i64 %i, 1
  br label %head
end:
  ret void
}

; PyObject *lz_call(PyObject *self, PyObject *const *args, Py_ssize_t nargs); self is a tuple whose
; first item is the address of the table. Returns NotImplemented if an argument does not fit.
define ptr @lz_call(ptr %self, ptr %args, i64 %nargs) {
entry:
  %handle = call ptr @PyTuple_GetItem(ptr %self, i64 0)
  %table = call ptr @PyLong_AsVoidPtr(ptr %handle)
  %args_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 10
  %args_32 = load i32, ptr %args_slot
  %arguments = zext i32 %args_32 to i64
  %right_count = icmp eq i64 %nargs, %arguments
  br i1 %right_count, label %frame, label %misfit_early
misfit_early:
  %sentinel = load ptr, ptr @misfit
  call void @Py_IncRef(ptr %sentinel)
  ret ptr %sentinel
frame:
  %constants_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 11
  %constants_32 = load i32, ptr %constants_slot
  %constants = zext i32 %constants_32 to i64
  %outputs_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 12
  %outputs_32 = load i32, ptr %outputs_slot
  %outputs = zext i32 %outputs_32 to i64
  %inputs = add i64 %arguments, %constants
  %owned_at = add i64 %inputs, %outputs
  %results_at = add i64 %owned_at, %arguments
  %arrays_at = add i64 %results_at, %outputs
  %rooms_at = add i64 %arrays_at, %arguments
  %words = add i64 %rooms_at, %arguments
  %in = alloca ptr, i64 %words, align 16
  %out = getelementptr inbounds ptr, ptr %in, i64 %inputs
  %owned = getelementptr inbounds ptr, ptr %in, i64 %owned_at
  %results = getelementptr inbounds ptr, ptr %in, i64 %results_at
  %arrays = getelementptr inbounds ptr, ptr %in, i64 %arrays_at
  %rooms = getelementptr inbounds ptr, ptr %in, i64 %rooms_at
  %owned_words = add i64 %arguments, %outputs
  %owned_bytes = mul i64 %owned_words, 8
  call void @llvm.memset.p0.i64(ptr %owned, i8 0, i64 %owned_bytes, i1 false)
  %taken = call i32 @take_arguments(ptr %table, ptr %args, i64 %arguments, ptr %in, ptr %owned,
                                    ptr %arrays, ptr %rooms)
  switch i32 %taken, label %failed [ i32 0, label %bind
                                     i32 1, label %misfit ]
bind:
  %bound_slot = getelementptr inbounds %table, ptr %table, i32 0, i32 3
  %bound = load ptr, ptr %bound_slot
  %bound_in = getelementptr inbounds ptr, ptr %in, i64 %arguments
  %bound_bytes = mul i64 %constants, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %bound_in, ptr %bound, i64 %bound_bytes, i1 false)
  %overlap = call i1 @donation_overlaps(ptr %table, i64 %arguments, i64 %inputs, ptr %in)
  br i1 %overlap, label %misfit, label %allocate
allocate:
  %made = call i1 @make_outputs(ptr %table, i64 %outputs, ptr %arrays, ptr %out, ptr %results)
  br i1 %made, label %run, label %failed
run:
  %status = call i32 @run_with_workspace(ptr %table, ptr %in, ptr %out)
  %ran = icmp eq i32 %status, 0
  br i1 %ran, label %finish, label %failed
finish:
  %value = call ptr @make_result(ptr %table, i64 %outputs, ptr %results)
  %no_value = icmp eq ptr %value, null
  br i1 %no_value, label %failed, label %clean
misfit:
  %misfit_object = load ptr, ptr @misfit
  call void @Py_IncRef(ptr %misfit_object)
  br label %clean
failed:
  call void @drop_references(ptr %results, i64 %outputs)
  br label %clean
clean:
  %answer = phi ptr [ %value, %finish ], [ %misfit_object, %misfit ], [ null, %failed ]
  call void @drop_references(ptr %owned, i64 %arguments)
  ret ptr %answer
}
"""
