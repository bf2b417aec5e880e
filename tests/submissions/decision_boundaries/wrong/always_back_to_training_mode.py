# fails: check_torch_mode
# why: calls train() afterwards, although the model may have come in evaluation mode

# %% torch_proba
def torch_proba(model, device):
    def ask(grid):
        model.eval()
        with torch.no_grad():
            logits = model(torch.tensor(grid, device=device))
        model.train()
        return torch.softmax(logits, dim=1)[:, 1].cpu().numpy()

    return ask
