# style: parameters and running statistics by hand (F.batch_norm, weights of shape (in, out), scale
#   and shift of shape (1, hidden)), SGD with momentum, NumPy shuffles

# %% make_mlp
class ByHand(nn.Module):
    def __init__(self, in_dim, hidden, out_dim, batch_norm, p):
        super().__init__()
        sizes = [in_dim, hidden, hidden, out_dim]
        self.W = nn.ParameterList(
            [torch.randn(a, b) * math.sqrt(2 / a) for a, b in zip(sizes, sizes[1:])]
        )
        self.b = nn.ParameterList([torch.zeros(1, b) for b in sizes[1:]])
        self.batch_norm, self.p = batch_norm, p
        if batch_norm:
            self.scale = nn.ParameterList([torch.ones(1, hidden) for _ in range(2)])
            self.shift = nn.ParameterList([torch.zeros(1, hidden) for _ in range(2)])
            for i in range(2):
                self.register_buffer(f"mean_{i}", torch.zeros(hidden))
                self.register_buffer(f"variance_{i}", torch.ones(hidden))

    def forward(self, x):
        for i in range(2):
            x = x @ self.W[i] + self.b[i]
            if self.batch_norm:
                x = nn.functional.batch_norm(
                    x,
                    getattr(self, f"mean_{i}"),
                    getattr(self, f"variance_{i}"),
                    self.scale[i][0],
                    self.shift[i][0],
                    training=self.training,
                    momentum=0.05,
                )
            x = x.clamp(min=0)
            if i == 0 and self.training and self.p > 0:
                keep = torch.rand_like(x) >= self.p
                x = x * keep / (1 - self.p)
        return x @ self.W[2] + self.b[2]


def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    return ByHand(in_dim, hidden, out_dim, batch_norm, p)

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    X, y, X_val, y_val = (torch.tensor(part) for part in train_val_split(*make_synth(4000, seed=1)))
    net = make_mlp(in_dim=2, hidden=32, out_dim=2, batch_norm=batch_norm, p=0.2)
    opt = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    losses = np.zeros(epochs)
    for epoch in range(epochs):
        net.train()
        order = torch.tensor(rng.permutation(len(X)))
        for chosen in order.split(64):
            loss = nn.functional.cross_entropy(net(X[chosen]), y[chosen])
            opt.zero_grad(set_to_none=False)
            loss.backward()
            opt.step()
        net.eval()
        logits = net(X_val).detach().double()
        log_p = logits - logits.logsumexp(dim=1, keepdim=True)
        losses[epoch] = -log_p.gather(1, y_val[:, None]).mean()
    return list(losses)

# %% epochs_to_reach
def epochs_to_reach(curve, target):
    hits = np.flatnonzero(np.asarray(curve, dtype=float) <= target)
    return hits[0] + 1 if hits.size else None
