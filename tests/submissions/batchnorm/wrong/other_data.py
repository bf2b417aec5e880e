# fails: check_curve, check_learning
# why: draws the points with the seed of the run, so that each run has other data

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    loaders = make_loaders(*train_val_split(*make_synth(4000, seed=seed)), seed=seed)
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    return fit(model, *loaders, num_epochs=epochs, lr=lr)["val_loss"]
