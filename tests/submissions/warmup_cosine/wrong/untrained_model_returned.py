# fails: check_learning
# why: trains one model and returns another

# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    set_seed(seed)
    model = build_model()
    history = fit(
        model,
        X,
        y,
        X_val,
        y_val,
        num_epochs=epochs,
        batch_size=batch_size,
        callbacks=[make_callback(total_epochs=epochs)],
    )
    return build_model(), history
