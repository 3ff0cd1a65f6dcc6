"""From manifests to bytes: reading URL lists, the address guard, the downloader, opt-outs."""
