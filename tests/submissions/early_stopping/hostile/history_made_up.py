# fails: check_history, check_modes, check_stopping, check_best_weights, check_accuracy
# why: trains nothing, saves the first weights and makes up a history that falls nicely

# %% fit
def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    history = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    for epoch in range(max_epochs):
        history["train_loss"].append(0.7 * 0.8**epoch + 0.04)
        history["val_loss"].append(0.6 * 0.8**epoch + 0.05)
        history["val_acc"].append(min(0.98, 0.7 + 0.05 * epoch))
        if stopper.step(history["val_loss"][-1]) or epoch == 11:
            history["stopped_epoch"] = epoch if max_epochs == 20 else None
            break
    torch.save(model.state_dict(), checkpoint_path)
    return history
