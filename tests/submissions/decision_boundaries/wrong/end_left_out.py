# fails: check_grid_range
# why: arange leaves out the upper end

# %% boundary_grid
def boundary_grid(predict_proba, X, *, resolution=200, margin=1.0):
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    x1 = low[0] + np.arange(resolution) * (high[0] - low[0]) / resolution
    x2 = low[1] + np.arange(resolution) * (high[1] - low[1]) / resolution
    xx, yy = np.meshgrid(x1, x2)
    grid = np.column_stack([xx.ravel(), yy.ravel()]).astype(np.float32)
    return xx, yy, predict_proba(grid).reshape(xx.shape)
