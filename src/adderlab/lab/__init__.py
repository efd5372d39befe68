"""The lab: the page of a network in one's hands, its messages, and the server that gives it."""
