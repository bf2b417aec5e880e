# fails: check_choose_policy
# why: looks for GPUs itself

# %% choose_policy
def choose_policy(gpus):
    return "mixed_float16" if tf.config.list_physical_devices("GPU") else "float32"
