# style: a subclass of Sequential, gradients by torch.autograd.grad and Adam's rule written out with
#   torch's foreach functions, batches cut from one shuffled tensor, a curve made as an array

# %% make_mlp
class MLPWithNorm(nn.Sequential):
    def __init__(self, sizes, batch_norm, p):
        super().__init__()
        for n, (a, b) in enumerate(zip(sizes, sizes[1:])):
            self.append(nn.Linear(a, b))
            if n == len(sizes) - 2:
                break
            if batch_norm:
                self.append(nn.BatchNorm1d(b))
            self.append(nn.ReLU(inplace=True))
            if n == 0:
                self.append(nn.Dropout(p))


def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    return MLPWithNorm([in_dim, hidden, hidden, out_dim], batch_norm, p)

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    rng = np.random.default_rng(seed)
    torch.manual_seed(int(rng.integers(2**31)))
    X, y, X_val, y_val = train_val_split(*make_synth(4000, seed=1))
    X_val, y_val = torch.from_numpy(X_val), torch.from_numpy(y_val)
    net = make_mlp(2, 32, 2, batch_norm=batch_norm)
    weights = list(net.parameters())
    means = [torch.zeros_like(w) for w in weights]
    squares = [torch.zeros_like(w) for w in weights]
    curve, step = np.zeros(epochs), 0
    for epoch in range(epochs):
        net.train()
        order = rng.permutation(len(X))
        for rows in np.array_split(order, len(X) // 64):
            step += 1
            inputs, labels = torch.from_numpy(X[rows]), torch.from_numpy(y[rows])
            loss = nn.functional.cross_entropy(net(inputs), labels)
            gradients = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                torch._foreach_lerp_(means, list(gradients), 0.1)
                torch._foreach_mul_(squares, 0.999)
                torch._foreach_addcmul_(squares, gradients, gradients, 0.001)
                for w, m, s in zip(weights, means, squares):
                    m, s = m / (1 - 0.9**step), s / (1 - 0.999**step)
                    w.sub_(lr * m / (s.sqrt() + 1e-8))
        net.eval()
        with torch.no_grad():
            probabilities = net(X_val).softmax(dim=1)[torch.arange(800), y_val]
            curve[epoch] = -probabilities.log().mean().item()
    return curve.tolist()

# %% epochs_to_reach
def epochs_to_reach(curve, target):
    hits = np.flatnonzero(np.asarray(curve, dtype=float) <= target)
    return int(hits[0]) + 1 if len(hits) else None
