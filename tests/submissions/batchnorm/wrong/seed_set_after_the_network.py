# fails: check_seed
# why: sets the seed when the first weights have already been drawn

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    set_seed(seed)
    loaders = make_loaders(*train_val_split(*make_synth(4000, seed=1)), seed=seed)
    return fit(model, *loaders, num_epochs=epochs, lr=lr)["val_loss"]
