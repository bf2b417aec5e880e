# fails: check_settings_off, check_settings_cuda
# why: looks for a GPU in the computer instead of at the device

# %% amp_settings
def amp_settings(device):
    if not torch.cuda.is_available():
        return {"enabled": False, "dtype": torch.float32, "scaler_enabled": False}
    return {"enabled": True, "dtype": torch.float16, "scaler_enabled": True}
