# fails: check_settings_off
# why: takes Apple's mps for CUDA

# %% amp_settings
def amp_settings(device):
    kind = torch.device(device).type if isinstance(device, str) else device.type
    if kind == "cpu":
        return {"enabled": False, "dtype": torch.float32, "scaler_enabled": False}
    return {"enabled": True, "dtype": torch.float16, "scaler_enabled": True}
