# fails: check_learning
# why: leaves the batch size at the default

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
        callbacks=[make_callback(total_epochs=epochs)],
    )
    return model, history
