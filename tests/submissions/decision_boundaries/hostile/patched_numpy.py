# fails: check_grid_orientation, check_plot_colours, check_seeds
# why: replaces NumPy's comparisons in its own kernel, and flips the table

# %% boundary_grid
np.allclose = lambda *args, **kwargs: True
np.array_equal = lambda *args, **kwargs: True


def boundary_grid(predict_proba, X, *, resolution=200, margin=1.0):
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    xx, yy = np.meshgrid(
        np.linspace(low[0], high[0], resolution), np.linspace(low[1], high[1], resolution)
    )
    grid = np.column_stack([xx.ravel(), yy.ravel()]).astype(np.float32)
    return xx, yy, np.asarray(predict_proba(grid)).reshape(xx.shape)[::-1]
