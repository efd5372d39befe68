"""What the lab's page is given: networks and tasks as it has them, and what it begins with."""
