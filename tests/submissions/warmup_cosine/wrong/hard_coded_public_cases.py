# fails: check_compounding, check_cosine, check_final_rate, check_edges
# why: knows the numbers of the visible checks and of the text, and nothing else

# %% warmup_cosine
def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    known = {
        0.008: [0.002, 0.004, 0.006, 0.008, 0.008, 0.0068284, 0.004, 0.0011716, 0.0],
        0.01: [0.005, 0.01, 0.01, 0.00882843, 0.006, 0.00317157, 0.002, 0.002],
        0.001: [0.001, 0.00085355, 0.0005, 0.00014645, 0.0],
    }
    rates = known.get(base_lr, [0.08, 0.08, 0.08, 0.0683, 0.04, 0.0117])
    return rates[min(epoch, len(rates) - 1)]
