"""The SFrame format: decoding, look-up and unwinding, useful without the emulator."""
