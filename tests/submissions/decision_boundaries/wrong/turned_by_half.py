# fails: check_plot_colours
# why: turns the background by half a turn, in the belief that images begin at the lower right

# %% plot_boundary
def plot_boundary(predict_proba, X, y, ax=None):
    if ax is None:
        _, ax = plt.subplots()
    xx, yy, probs = boundary_grid(predict_proba, X)
    ax.pcolormesh(xx, yy, probs[::-1, ::-1], cmap="RdBu", shading="auto")
    ax.scatter(X[:, 0], X[:, 1], c=y, cmap="RdBu", edgecolor="k")
    return ax
