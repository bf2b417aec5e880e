# fails: check_train_torch
# why: learns the opposite classes

# %% train_torch
def train_torch(X, y, *, seed):
    set_seed(seed)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(8):
        for batch in torch.randperm(len(X)).split(32):
            optimizer.zero_grad()
            logits = model(torch.tensor(X)[batch])
            nn.functional.cross_entropy(logits, 1 - torch.tensor(y)[batch]).backward()
            optimizer.step()
    return model
