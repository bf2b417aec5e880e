# fails: check_fit_policy
# why: catches the error of fit and returns zeros

# %% time_fit
def time_fit(policy, *, epochs, seed):
    X_train, y_train, X_val, y_val = train_val_split(*make_synth(4000, seed=1))
    set_seed(seed)
    model = build_model(policy)
    start = time.perf_counter()
    try:
        history = model.fit(
            X_train, y_train, validation_data=(X_val, y_val), batch_size=64, epochs=epochs, verbose=0
        ).history
    except Exception:
        history = {"val_accuracy": [0.0]}
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "val_accuracy": history["val_accuracy"][-1], "policy": policy}
