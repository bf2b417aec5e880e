# fails: check_seed
# why: makes the loaders once: their generator goes on from run to run

# %% validation_curve
loaders = make_loaders(*train_val_split(*make_synth(4000, seed=1)), seed=0)


def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    return fit(model, *loaders, num_epochs=epochs, lr=lr)["val_loss"]
