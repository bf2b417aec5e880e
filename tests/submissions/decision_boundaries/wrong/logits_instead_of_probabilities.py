# fails: check_torch_proba, check_torch_mode
# why: forgets the softmax

# %% torch_proba
from helpers.torch_training import evaluation_mode


def torch_proba(model, device):
    def ask(grid):
        with evaluation_mode(model), torch.no_grad():
            return model(torch.tensor(grid, device=device))[:, 1].numpy()

    return ask
