# fails: check_train_torch, check_seeds
# why: one logit instead of two, with a binary loss

# %% train_torch
def train_torch(X, y, *, seed):
    set_seed(seed)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(8):
        for batch in torch.randperm(len(X)).split(32):
            optimizer.zero_grad()
            logits = model(torch.tensor(X)[batch])
            target = torch.tensor(y)[batch].float()
            nn.functional.binary_cross_entropy_with_logits(logits[:, 0], target).backward()
            optimizer.step()
    return model
