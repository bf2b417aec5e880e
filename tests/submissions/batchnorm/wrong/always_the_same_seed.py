# fails: check_seed
# why: ignores the seed and always sets 0

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(0)
    loaders = make_loaders(*train_val_split(*make_synth(4000, seed=1)), seed=0)
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    return fit(model, *loaders, num_epochs=epochs, lr=lr)["val_loss"]
