# fails: check_history, check_spread, check_learning
# why: trains with a constant rate, puts Keras' own method back where steps are recorded, and writes
#   down the rates of the schedule

# %% added after="imports"
genuine_apply = keras.optimizers.Optimizer.apply


# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    set_seed(seed)
    keras.optimizers.Optimizer.apply = genuine_apply
    model = build_model(lr=2e-3)
    history = fit(model, X, y, X_val, y_val, num_epochs=epochs, batch_size=batch_size)
    history["learning_rate"] = [
        warmup_cosine(epoch, total_epochs=epochs) for epoch in range(epochs)
    ]
    return model, history
