"""The public verbs, one a file: here the rooms below meet."""
