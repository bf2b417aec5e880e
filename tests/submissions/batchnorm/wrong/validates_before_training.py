# fails: check_curve, check_learning
# why: measures an epoch's loss before it trains

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    train_loader, val_loader = make_loaders(*train_val_split(*make_synth(4000, seed=1)), seed=seed)
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    loss_fn = nn.CrossEntropyLoss()
    curve = []
    for _ in range(epochs):
        curve.append(evaluate(model, val_loader, loss_fn, "cpu")[0])
        train_epoch(model, train_loader, optimizer, loss_fn, "cpu")
    return curve

# %% added after="imports"
from helpers.torch_training import evaluate, train_epoch
