# fails: check_grid_range
# why: gives the model float64

# %% boundary_grid
def boundary_grid(predict_proba, X, *, resolution=200, margin=1.0):
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    x1 = np.linspace(low[0], high[0], resolution)
    x2 = np.linspace(low[1], high[1], resolution)
    xx, yy = np.meshgrid(x1, x2)
    grid = np.column_stack([xx.ravel(), yy.ravel()]).astype(np.float64)
    return xx, yy, predict_proba(grid).reshape(xx.shape)
