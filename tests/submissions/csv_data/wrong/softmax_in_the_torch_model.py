# fails: check_torch_model
# why: ends in a softmax, which the loss applies once more

# %% build_torch_model
def build_torch_model(in_dim, n_classes):
    return nn.Sequential(
        nn.Linear(in_dim, 32), nn.ReLU(), nn.Linear(32, n_classes), nn.Softmax(dim=1)
    )
