"""What a population says: findings of each member, counts of all, causes that were tried."""
