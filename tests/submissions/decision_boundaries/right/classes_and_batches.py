# style: callable objects that ask the model in batches; loops instead of meshgrid

# %% torch_proba
class TorchProba:
    def __init__(self, model, device):
        self.model, self.device = model, torch.device(device)

    @torch.inference_mode()
    def __call__(self, grid):
        state = {name: part.training for name, part in self.model.named_modules()}
        self.model.eval()
        answers = []
        for start in range(0, len(grid), 500):
            batch = torch.from_numpy(np.array(grid[start : start + 500])).to(self.device)
            answers.append(torch.nn.functional.softmax(self.model(batch), dim=-1)[:, 1].cpu())
        for name, part in self.model.named_modules():
            part.training = state[name]
        return torch.cat(answers).numpy()


torch_proba = TorchProba


# %% keras_proba
class KerasProba:
    def __init__(self, model):
        self.model = model

    def __call__(self, grid):
        return self.model.predict(grid, batch_size=256, verbose=0)[:, 1]


def keras_proba(model):
    return KerasProba(model)


# %% boundary_grid
def boundary_grid(predict_proba, X, *, resolution=200, margin=1.0):
    steps = np.arange(resolution) / (resolution - 1)
    left, right = min(X[:, 0]) - margin, max(X[:, 0]) + margin
    bottom, top = min(X[:, 1]) - margin, max(X[:, 1]) + margin
    xx = np.zeros((resolution, resolution))
    yy = np.zeros((resolution, resolution))
    probs = np.zeros((resolution, resolution))
    for row in range(resolution):
        xx[row] = left + (right - left) * steps
        yy[row] = bottom + (top - bottom) * steps[row]
        line = np.stack([xx[row], yy[row]], axis=1).astype(np.float32)
        probs[row] = predict_proba(line)
    return xx, yy, probs
