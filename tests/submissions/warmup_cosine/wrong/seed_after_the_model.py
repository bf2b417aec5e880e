# fails: check_seed
# why: seeds after the model was built: its first weights are already drawn

# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    model = build_model()
    set_seed(seed)
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
