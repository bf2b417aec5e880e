# fails: check_plot_colours
# why: draws the line of 0.5 and no background

# %% plot_boundary
def plot_boundary(predict_proba, X, y, ax=None):
    if ax is None:
        _, ax = plt.subplots()
    xx, yy, probs = boundary_grid(predict_proba, X)
    ax.contour(xx, yy, probs, levels=[0.5], colors="k")
    ax.scatter(X[:, 0], X[:, 1], c=y, cmap="RdBu", edgecolor="k")
    return ax
