# fails: check_seed
# why: seeds with 0, whatever seed it is given

# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    set_seed(0)
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
    return model, history
