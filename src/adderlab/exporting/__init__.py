"""Networks written for use elsewhere: each file is run, where it can be, before it is kept."""
