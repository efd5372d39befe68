"""Many networks at once: trained block by block, counted, explained, written."""
