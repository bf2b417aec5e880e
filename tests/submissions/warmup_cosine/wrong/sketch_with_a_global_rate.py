# fails: check_compounding
# why: the outline's sketch, which multiplies the rate of the call before, kept in a global

# %% warmup_cosine
current_lr = 1e-3


def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    global current_lr
    if epoch == 0:
        current_lr = base_lr
    if epoch < warmup_epochs:
        current_lr = current_lr * 1.5
        return current_lr
    if epoch >= total_epochs:
        return final_lr
    t = (epoch - warmup_epochs) / max(1, total_epochs - warmup_epochs)
    return final_lr + (base_lr - final_lr) * 0.5 * (1 + math.cos(math.pi * t))
