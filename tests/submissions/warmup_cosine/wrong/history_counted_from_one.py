# fails: check_history
# why: writes down the rates of the epochs 1 to n, which are numbered from 0

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
    history["learning_rate"] = [
        warmup_cosine(epoch, total_epochs=epochs) for epoch in range(1, epochs + 1)
    ]
    return model, history
