# fails: check_edges
# why: computes the step of the warm-up first, which cannot be with warmup_epochs=0

# %% warmup_cosine
def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    step = base_lr / warmup_epochs
    if epoch < warmup_epochs:
        return step * (epoch + 1)
    if epoch >= total_epochs:
        return final_lr
    t = (epoch - warmup_epochs) / max(1, total_epochs - warmup_epochs)
    return final_lr + (base_lr - final_lr) * 0.5 * (1 + math.cos(math.pi * t))
