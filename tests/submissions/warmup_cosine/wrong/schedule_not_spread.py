# fails: check_spread
# why: leaves total_epochs at its default of 50, however long the training is

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
        callbacks=[make_callback()],
    )
    return model, history
