# fails: check_plot_colours
# why: draws the points of both classes alike

# %% plot_boundary
def plot_boundary(predict_proba, X, y, ax=None):
    if ax is None:
        _, ax = plt.subplots()
    xx, yy, probs = boundary_grid(predict_proba, X)
    ax.contourf(xx, yy, probs, levels=np.linspace(0, 1, 21), cmap="RdBu")
    ax.contour(xx, yy, probs, levels=[0.5], colors="k")
    ax.scatter(X[:, 0], X[:, 1], color="k")
    return ax
