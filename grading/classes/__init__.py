"""Many submissions at once: planned, executed on Dask, recorded one by one."""
