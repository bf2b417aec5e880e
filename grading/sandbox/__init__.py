"""Where student code runs: kernels in a sandbox, each of their messages taken for hostile."""
