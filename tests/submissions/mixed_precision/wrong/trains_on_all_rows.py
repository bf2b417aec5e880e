# fails: check_fit_measures
# why: trains on the validation part, too

# %% time_fit
def time_fit(policy, *, epochs, seed):
    X_train, y_train, X_val, y_val = train_val_split(*make_synth(4000, seed=1))
    set_seed(seed)
    model = build_model(policy)
    start = time.perf_counter()
    history = model.fit(
        *make_synth(4000, seed=1), validation_data=(X_val, y_val), batch_size=64, epochs=epochs, verbose=0
    ).history
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "val_accuracy": history["val_accuracy"][-1], "policy": policy}
