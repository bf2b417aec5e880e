# fails: check_settings_off
# why: switches autocast on for the CPU, in bfloat16

# %% amp_settings
def amp_settings(device):
    kind = torch.device(device).type if isinstance(device, str) else device.type
    if kind == "cpu":
        return {"enabled": True, "dtype": torch.bfloat16, "scaler_enabled": False}
    return {"enabled": True, "dtype": torch.float16, "scaler_enabled": True}
