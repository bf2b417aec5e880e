# fails: check_torch_mode
# why: switches to evaluation mode and never back

# %% torch_proba
def torch_proba(model, device):
    def ask(grid):
        model.eval()
        with torch.no_grad():
            logits = model(torch.tensor(grid, device=device))
        return torch.softmax(logits, dim=1)[:, 1].cpu().numpy()

    return ask
