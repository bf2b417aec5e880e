# fails: check_settings_cuda
# why: computes in float16 and does not scale the loss

# %% amp_settings
def amp_settings(device):
    kind = torch.device(device).type if isinstance(device, str) else device.type
    if kind != "cuda":
        return {"enabled": False, "dtype": torch.float32, "scaler_enabled": False}
    return {"enabled": True, "dtype": torch.float16, "scaler_enabled": False}
