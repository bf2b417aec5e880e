# fails: check_learning
# why: trains on all the points, those for measuring included

# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    set_seed(seed)
    model = build_model()
    history = fit(
        model,
        np.concatenate([X, X_val]),
        np.concatenate([y, y_val]),
        X_val,
        y_val,
        num_epochs=epochs,
        batch_size=batch_size,
        callbacks=[make_callback(total_epochs=epochs)],
    )
    return model, history
