"""Long work in resumable blocks: populations of networks and maps of trainability."""
