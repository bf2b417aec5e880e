# fails: check_curve, check_learning
# why: returns the training loss

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    loaders = make_loaders(*train_val_split(*make_synth(4000, seed=1)), seed=seed)
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    return fit(model, *loaders, num_epochs=epochs, lr=lr)["train_loss"]
