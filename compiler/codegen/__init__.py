"""Loop IR to LLVM IR text, and that to machine code or PTX."""
