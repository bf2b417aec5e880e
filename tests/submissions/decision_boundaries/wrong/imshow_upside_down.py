# fails: check_plot_colours
# why: imshow without origin='lower'

# %% plot_boundary
def plot_boundary(predict_proba, X, y, ax=None):
    if ax is None:
        _, ax = plt.subplots()
    xx, yy, probs = boundary_grid(predict_proba, X)
    extent = (xx.min(), xx.max(), yy.min(), yy.max())
    ax.imshow(probs, extent=extent, cmap="RdBu", alpha=0.6, aspect="auto")
    ax.contour(xx, yy, probs, levels=[0.5], colors="k")
    ax.scatter(X[:, 0], X[:, 1], c=y, cmap="RdBu", edgecolor="k")
    return ax
