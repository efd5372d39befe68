"""The command line: parse, call a workflow, print; one file a group of commands."""
