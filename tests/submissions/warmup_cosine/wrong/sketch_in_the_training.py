# fails: check_spread
# why: train pastes the outline's sketch instead of using the callback

# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    set_seed(seed)
    model = build_model()

    def schedule(epoch, lr):
        warm = 5
        if epoch < warm:
            return lr * 1.5
        return 1e-3 * 0.5 * (1 + math.cos(math.pi * (epoch - warm) / max(1, epochs - warm)))

    callback = keras.callbacks.LearningRateScheduler(schedule)
    history = fit(
        model, X, y, X_val, y_val, num_epochs=epochs, batch_size=batch_size, callbacks=[callback]
    )
    return model, history
