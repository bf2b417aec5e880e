# fails: check_plot_axes, check_plot_colours
# why: draws and returns None

# %% plot_boundary
def plot_boundary(predict_proba, X, y, ax=None):
    if ax is None:
        _, ax = plt.subplots()
    xx, yy, probs = boundary_grid(predict_proba, X)
    ax.contourf(xx, yy, probs, levels=20, cmap="RdBu", alpha=0.6)
    ax.contour(xx, yy, probs, levels=[0.5], colors="k")
    ax.scatter(X[:, 0], X[:, 1], c=y, cmap="RdBu", edgecolor="k")
