# fails: check_plot_axes
# why: draws on the current axes, whatever it is given

# %% plot_boundary
def plot_boundary(predict_proba, X, y, ax=None):
    xx, yy, probs = boundary_grid(predict_proba, X)
    plt.contourf(xx, yy, probs, levels=20, cmap="RdBu", alpha=0.6)
    plt.contour(xx, yy, probs, levels=[0.5], colors="k")
    plt.scatter(X[:, 0], X[:, 1], c=y, cmap="RdBu", edgecolor="k")
    return plt.gca()
