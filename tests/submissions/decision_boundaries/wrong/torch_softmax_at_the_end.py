# fails: check_train_torch
# why: returns probabilities, and trains them with a loss for logits

# %% train_torch
def train_torch(X, y, *, seed):
    set_seed(seed)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2), nn.Softmax(dim=1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(8):
        for batch in torch.randperm(len(X)).split(32):
            optimizer.zero_grad()
            logits = model(torch.tensor(X)[batch])
            nn.functional.cross_entropy(logits, torch.tensor(y)[batch]).backward()
            optimizer.step()
    return model
