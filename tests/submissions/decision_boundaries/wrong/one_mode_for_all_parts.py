# fails: check_torch_mode
# why: puts back the mode of the whole, and switches on a part that was frozen

# %% torch_proba
def torch_proba(model, device):
    def ask(grid):
        mode = model.training
        model.eval()
        with torch.no_grad():
            logits = model(torch.tensor(grid, device=device))
        model.train(mode)
        return torch.softmax(logits, dim=1)[:, 1].cpu().numpy()

    return ask
