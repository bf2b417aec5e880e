# fails: check_plot_axes
# why: draws only the first half of the points

# %% plot_boundary
def plot_boundary(predict_proba, X, y, ax=None):
    if ax is None:
        _, ax = plt.subplots()
    xx, yy, probs = boundary_grid(predict_proba, X)
    ax.contourf(xx, yy, probs, levels=20, cmap="RdBu", alpha=0.6)
    ax.contour(xx, yy, probs, levels=[0.5], colors="k")
    half = len(X) // 2
    ax.scatter(X[:half, 0], X[:half, 1], c=y[:half], cmap="RdBu", edgecolor="k")
    return ax
