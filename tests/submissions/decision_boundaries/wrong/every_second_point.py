# fails: check_plot_axes
# why: draws only the points of class 1

# %% plot_boundary
def plot_boundary(predict_proba, X, y, ax=None):
    if ax is None:
        _, ax = plt.subplots()
    xx, yy, probs = boundary_grid(predict_proba, X)
    ax.contourf(xx, yy, probs, levels=20, cmap="RdBu", alpha=0.6)
    ax.contour(xx, yy, probs, levels=[0.5], colors="k")
    ax.scatter(X[y == 1, 0], X[y == 1, 1], edgecolor="k")
    return ax
