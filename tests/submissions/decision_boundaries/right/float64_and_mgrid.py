# style: mgrid, float64 tables, a single list comprehension; P(class 1) through exp by hand

# %% torch_proba
def torch_proba(model, device):
    def ask(grid):
        parts = list(model.modules())
        before = [part.training for part in parts]
        try:
            model.train(False)
            with torch.no_grad():
                z = model(torch.tensor(grid).to(device)).cpu().numpy().astype(float)
        finally:
            [setattr(part, "training", mode) for part, mode in zip(parts, before)]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e[:, 1] / e.sum(axis=1)

    return ask


# %% boundary_grid
def boundary_grid(predict_proba, X, *, resolution=200, margin=1.0):
    (x0, y0), (x1, y1) = np.min(X, 0).astype(float) - margin, np.max(X, 0).astype(float) + margin
    yy, xx = np.mgrid[y0 : y1 : resolution * 1j, x0 : x1 : resolution * 1j]
    points = np.array([[a, b] for a, b in zip(xx.flat, yy.flat)], dtype=np.float32)
    return xx, yy, np.reshape(predict_proba(points), (resolution, resolution))
