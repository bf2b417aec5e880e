# fails: check_final_rate
# why: adds final_lr without taking it off the height of the cosine

# %% warmup_cosine
def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    if epoch < warmup_epochs:
        return base_lr * (epoch + 1) / warmup_epochs
    if epoch >= total_epochs:
        return final_lr
    t = (epoch - warmup_epochs) / max(1, total_epochs - warmup_epochs)
    return final_lr + base_lr * 0.5 * (1 + math.cos(math.pi * t))
