# fails: check_grid_range
# why: takes the smallest and largest number of all of X for both axes

# %% boundary_grid
def boundary_grid(predict_proba, X, *, resolution=200, margin=1.0):
    low, high = np.repeat(X.min() - margin, 2), np.repeat(X.max() + margin, 2)
    x1 = np.linspace(low[0], high[0], resolution)
    x2 = np.linspace(low[1], high[1], resolution)
    xx, yy = np.meshgrid(x1, x2)
    grid = np.column_stack([xx.ravel(), yy.ravel()]).astype(np.float32)
    return xx, yy, predict_proba(grid).reshape(xx.shape)
