# fails: check_history, check_spread
# why: forgets the callback and writes down the rates that it would have set

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
    )
    history["learning_rate"] = [
        warmup_cosine(epoch, total_epochs=epochs) for epoch in range(epochs)
    ]
    return model, history
