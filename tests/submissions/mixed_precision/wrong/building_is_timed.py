# fails: check_fit_measures
# why: starts the clock before the model is built

# %% time_fit
def time_fit(policy, *, epochs, seed):
    X_train, y_train, X_val, y_val = train_val_split(*make_synth(4000, seed=1))
    start = time.perf_counter()
    set_seed(seed)
    model = build_model(policy)
    history = model.fit(
        X_train, y_train, validation_data=(X_val, y_val), batch_size=64, epochs=epochs, verbose=0
    ).history
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "val_accuracy": history["val_accuracy"][-1], "policy": policy}
