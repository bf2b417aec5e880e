# fails: check_torch_mode
# why: asks the model in whatever mode it is

# %% torch_proba
def torch_proba(model, device):
    def ask(grid):
        with torch.no_grad():
            logits = model(torch.tensor(grid, device=device))
        return torch.softmax(logits, dim=1)[:, 1].cpu().numpy()

    return ask
