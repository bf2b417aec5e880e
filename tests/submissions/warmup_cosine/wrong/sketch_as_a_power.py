# fails: check_compounding
# why: the compounding of the outline's sketch in closed form: pure, but each rate is the one
#   before times 1.5

# %% warmup_cosine
def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    if epoch < warmup_epochs:
        return base_lr * 1.5 ** (epoch + 1)
    if epoch >= total_epochs:
        return final_lr
    t = (epoch - warmup_epochs) / max(1, total_epochs - warmup_epochs)
    return final_lr + (base_lr - final_lr) * 0.5 * (1 + math.cos(math.pi * t))
