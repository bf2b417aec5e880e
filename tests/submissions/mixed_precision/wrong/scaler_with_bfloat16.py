# fails: check_settings_cuda
# why: scales the loss with bfloat16, too

# %% amp_settings
def amp_settings(device):
    kind = torch.device(device).type if isinstance(device, str) else device.type
    if kind != "cuda":
        return {"enabled": False, "dtype": torch.float32, "scaler_enabled": False}
    return {"enabled": True, "dtype": torch.bfloat16, "scaler_enabled": True}
