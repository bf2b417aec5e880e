# fails: check_compounding
# why: counts the warm-up from epoch instead of epoch + 1: the first epoch learns nothing

# %% warmup_cosine
def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    if epoch < warmup_epochs:
        return base_lr * epoch / warmup_epochs
    if epoch >= total_epochs:
        return final_lr
    t = (epoch - warmup_epochs) / max(1, total_epochs - warmup_epochs)
    return final_lr + (base_lr - final_lr) * 0.5 * (1 + math.cos(math.pi * t))
