# style: lazy layers that get their sizes from a first batch, no biases before batch normalisation,
#   a ModuleList, own first weights, one validation batch, Adagrad, fork_rng

# %% make_mlp
class Lazy(nn.Module):
    def __init__(self, hidden, out_dim, batch_norm, p):
        super().__init__()
        self.steps = nn.ModuleList()
        for rate in (p, 0.0):
            self.steps.append(nn.LazyLinear(hidden, bias=not batch_norm))
            if batch_norm:
                self.steps.append(nn.LazyBatchNorm1d(momentum=None))
            self.steps.append(nn.ReLU(inplace=True))
            self.steps.append(nn.Dropout(rate))
        self.steps.append(nn.LazyLinear(out_dim))

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x


def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    model = Lazy(hidden, out_dim, batch_norm, p)
    model(torch.randn(10, in_dim))
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()
    return model

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        X, y, X_val, y_val = map(torch.as_tensor, train_val_split(*make_synth(4000, seed=1)))
        model = make_mlp(2, 32, 2, batch_norm=batch_norm)
        optimizer = torch.optim.Adagrad(model.parameters(), lr=lr)
        curve = []
        while len(curve) < epochs:
            order = torch.randperm(len(X))
            for start in range(0, len(X), 64):
                model.train()
                some = order[start : start + 64]
                model.zero_grad()
                nn.functional.cross_entropy(model(X[some]), y[some]).backward()
                optimizer.step()
            model.eval()
            with torch.inference_mode():
                curve.append(float(nn.functional.cross_entropy(model(X_val), y_val)))
        return curve
