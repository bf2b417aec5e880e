# fails: check_fit_measures
# why: forgets the size of the batches: the default is 32

# %% time_fit
def time_fit(policy, *, epochs, seed):
    X_train, y_train, X_val, y_val = train_val_split(*make_synth(4000, seed=1))
    former = keras.config.dtype_policy()
    try:
        set_seed(seed)
        model = build_model(policy)
        start = time.perf_counter()
        log = model.fit(
            X_train, y_train, validation_data=(X_val, y_val), epochs=epochs, verbose=0
        ).history
        seconds = time.perf_counter() - start
    finally:
        keras.config.set_dtype_policy(former)
    return {"seconds": seconds, "val_accuracy": log["val_accuracy"][-1], "policy": policy}
