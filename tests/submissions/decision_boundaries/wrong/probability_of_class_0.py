# fails: check_torch_proba, check_torch_mode
# why: returns the first column of the softmax

# %% torch_proba
from helpers.torch_training import evaluation_mode


def torch_proba(model, device):
    def ask(grid):
        with evaluation_mode(model), torch.no_grad():
            return torch.softmax(model(torch.tensor(grid, device=device)), dim=1)[:, 0].numpy()

    return ask
