# fails: check_cosine, check_final_rate, check_edges
# why: lets the rate fall along a straight line

# %% warmup_cosine
def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    if epoch < warmup_epochs:
        return base_lr * (epoch + 1) / warmup_epochs
    if epoch >= total_epochs:
        return final_lr
    t = (epoch - warmup_epochs) / (total_epochs - warmup_epochs)
    return final_lr + (base_lr - final_lr) * (1 - t)
