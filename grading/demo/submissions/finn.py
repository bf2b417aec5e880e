# nothing done: the stubs as they were handed out
