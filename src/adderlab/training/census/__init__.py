"""The census of a population: findings of each member, counts of all, causes that were tried."""
