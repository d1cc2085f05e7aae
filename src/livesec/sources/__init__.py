"""Where lines come from: growing files and the systemd journal, each byte with an address that it keeps."""
