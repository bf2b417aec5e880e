# fails: check_history, check_spread
# why: returns what model.fit gives, which is no mapping

# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    set_seed(seed)
    model = build_model()
    history = model.fit(
        X,
        y,
        validation_data=(X_val, y_val),
        epochs=epochs,
        verbose=0,
        batch_size=batch_size,
        callbacks=[make_callback(total_epochs=epochs)],
    )
    return model, history
